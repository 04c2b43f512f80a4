// A password may hold characters that should have been encoded: what follows the first colon is hidden up to the last @.
// Not in file URLs: those of stack traces hold the @ of package scopes.
const CREDENTIALS_IN_URL = /(?<![a-z])(?!file:)([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#'":]*:[^\s'"]*|[^\s/?#'"]*)@/gi;
const SECRET_PARAMETERS = /([?&](?:password|passwd|pwd|pass|token|secret|key|auth|user|username)=)[^&\s'"]*/gi;
const GSTREAMER_SECRETS = /\b(user-pw|user-id|proxy-pw|proxy-id)=("[^"]*"|\S+)/gi;

/** The text with user names, passwords and tokens of URLs and GStreamer pipelines replaced by `***`. */
export function redact(text: string): string {
  return text
    .replace(CREDENTIALS_IN_URL, '$1***@')
    .replace(SECRET_PARAMETERS, '$1***')
    .replace(GSTREAMER_SECRETS, '$1=***');
}
