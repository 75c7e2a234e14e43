/** Tests compare what programs print: without colours, whatever the shell asks for. */
export function testEnvironment(redisUrl: string | undefined): NodeJS.ProcessEnv {
  const { FORCE_COLOR, ...environment } = process.env
  return {
    ...environment,
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    NO_COLOR: '1',
    CI: process.env['CI'] ?? '1',
  }
}
