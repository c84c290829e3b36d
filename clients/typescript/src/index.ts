export { compress, type Compressed, type CompressOptions } from "./compress.js";
export { HeadroomError, type Code } from "./errors.js";
export type { Connection, Level } from "./options.js";
export { retrieve, retrieveBytes, type Part, type RetrieveOptions } from "./retrieve.js";
export { withHeadroom, type Outcome, type WithHeadroomOptions } from "./wrap.js";
