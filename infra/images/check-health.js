// The health check of the services' images, which have no shell and no curl. Exits with 0 when the service
// answers 200 on /health of its internal port.
const { INTERNAL_PORT = '9464' } = process.env

const isHealthy = await fetch(`http://127.0.0.1:${INTERNAL_PORT}/health`).then(
  ({ ok }) => ok,
  () => false,
)
process.exit(isHealthy ? 0 : 1)
