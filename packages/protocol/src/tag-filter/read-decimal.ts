const decimal = /^([+-]?)([0-9]{1,179})(?:\.([0-9]{1,19}))?$/
const places = 19

/** Returns a decimal number in units of 10^-19, exactly; undefined for other text, and for exponents. */
export function readDecimal(text: string): bigint | undefined {
  const [, sign = '', whole, fraction = ''] = decimal.exec(text) ?? []
  return whole === undefined
    ? undefined
    : BigInt(`${whole}${fraction.padEnd(places, '0')}`) * (sign === '-' ? -1n : 1n)
}
