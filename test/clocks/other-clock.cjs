// Loaded before a service: its wall clock differs from the machine's by SKEW_MS.
const { now } = Date
const skew = Number(process.env.SKEW_MS)

Date.now = () => now() + skew
