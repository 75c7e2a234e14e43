# syntax=docker/dockerfile:1
# realtime, from the checkout's root: docker build -f infra/images/realtime.Dockerfile -t portcullis/realtime .

FROM node:24-alpine AS build
WORKDIR /portcullis
COPY . .
RUN npm ci --no-audit --no-fund && node infra/build/build.js apps/realtime

FROM node:24-alpine
# /metrics and /docs are on a port of their own: do not publish it.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 INTERNAL_HOST=0.0.0.0 INTERNAL_PORT=9464
WORKDIR /portcullis
# The bundle is all that runs: it needs no package.
COPY --from=build /portcullis/apps/realtime/bundle ./
USER node
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/health"]
CMD ["node", "main.mjs"]
