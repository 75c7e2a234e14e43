/** Description of the global symbol under which a host keeps the test of the file that it runs. */
export const currentTest = 'portcullis.current-test'
