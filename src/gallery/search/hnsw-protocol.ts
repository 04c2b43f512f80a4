/** What goes to the thread that makes graphs: a beginning, rows, and where to put the result. */
export type ToHnsw =
  | { readonly type: 'begin'; readonly dimension: number }
  | { readonly type: 'rows'; readonly values: Int8Array }
  | { readonly type: 'save'; readonly file: string };

/** Each is answered. */
export type FromHnsw = { readonly type: 'done' } | { readonly type: 'failed'; readonly message: string };
