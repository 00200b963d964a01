// What can go wrong with a request: each fault knows its HTTP answer.

export type FieldFaults = Record<string, string>;

/** Some fields hold what they must not hold; answered as 400 with a message for each field. */
export class ValidationFault extends Error {
  readonly fields: FieldFaults;

  constructor(fields: FieldFaults) {
    super(Object.values(fields).join("; "));
    this.fields = fields;
  }
}

/** Everything else that has an answer of its own, such as `not_found`. */
export class RequestFault extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export const notFoundFault = () => new RequestFault(404, "not_found");
export const forbiddenFault = () => new RequestFault(403, "forbidden");
export const unauthenticatedFault = () => new RequestFault(401, "unauthenticated");
export const inUseFault = () => new RequestFault(409, "in_use");
export const badJsonFault = () => new RequestFault(400, "bad_json");

export const mustExist = (label: string): string => `${label} must be an existing record`;
export const mustBeUnique = (label: string): string => `${label} must be unique`;
export const mustBeUploaded = (label: string): string => `${label} must be an uploaded file`;
