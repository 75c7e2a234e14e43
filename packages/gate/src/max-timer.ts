/** The longest delay that setTimeout takes, in milliseconds: 31 bits, 24.8 days. */
export const maxTimerMs = 2 ** 31 - 1
