import { type RefObject, useEffect, useRef } from 'react'

/** Returns a reference to the value of the newest render, for listeners that live longer. */
export function useLatest<Value>(value: Value): RefObject<Value> {
  const latest = useRef(value)
  useEffect(() => {
    latest.current = value
  })
  return latest
}
