// A password may hold characters that should have been encoded, quotes too: what follows the first colon is hidden up to the
// last @ before a blank. Rather too much is hidden than too little.
// Not in file URLs: those of stack traces hold the @ of package scopes.
const CREDENTIALS_IN_URL = /(?<![a-z])(?!file:)([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#:]*:\S*|[^\s/?#]*)@/gi;
// Some cameras take them in the path, parted by underscores (`/user=admin_password=x_channel=1`): then all that follows is hidden.
const SECRET_PARAMETERS =
  /([?&;/_](?:password|passwd|pwd|pass|loginpas|token|secret|key|auth|user|username|usr|loginuse)=)[^&\s]*/gi;
// As GStreamer reads them: blanks around the sign, quotes of either kind.
const GSTREAMER_SECRETS = /\b(user-pw|user-id|proxy-pw|proxy-id)\s*=\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\S+)/gi;

/** The text with user names, passwords and tokens of URLs and GStreamer pipelines replaced by `***`. */
export function redact(text: string): string {
  return text
    .replace(CREDENTIALS_IN_URL, '$1***@')
    .replace(SECRET_PARAMETERS, '$1***')
    .replace(GSTREAMER_SECRETS, '$1=***');
}

/**
 * A URL with its user name and password replaced by `***`, whatever characters they hold, and its secret parameters as by
 * {@link redact}; what is no URL as by that.
 */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return redact(text);
  const url = new URL(text);
  if (url.username === '' && url.password === '') return redact(text);
  url.username = '***';
  url.password = '';
  return redact(url.href);
}
