# syntax=docker/dockerfile:1
# auth, from the checkout's root: docker build -f infra/images/auth.Dockerfile -t portcullis/auth .

FROM node:24-alpine AS build
WORKDIR /portcullis
COPY . .
RUN npm ci --no-audit --no-fund && node infra/build/build.js apps/auth

FROM node:24-alpine
# /metrics and /docs are on a port of their own: do not publish it.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 INTERNAL_HOST=0.0.0.0 INTERNAL_PORT=9464
WORKDIR /portcullis
# The bundle is all that runs: it needs no package.
COPY --from=build /portcullis/apps/auth/bundle ./
# Where compose.yaml's setup keeps the registration code of the realtime nodes.
RUN install -d -o node -g node -m 0700 /registration
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:4000/health"]
CMD ["node", "main.mjs"]
