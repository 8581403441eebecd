/** What a line of the console asks for: its first word, and the others. */
export interface Command {
  /** As it is written; empty for an empty line. */
  readonly name: string;
  readonly words: readonly string[];
}

/** Nobody types control characters; what a TLS client begins with does hold some. */
const CONTROL = /[^\P{Cc}\t]/u;

/**
 * The first line of an HTTP request, or one that a page has made to look like a command:
 *
 *     POST /api/x HTTP/1.1
 *     ^^^^        ^^^^^^^^
 *     any word of the characters that methods are made of
 *
 * Source: RFC 9112, section 3; RFC 9110, section 5.6.2.
 */
const REQUEST = /^[\w!#$%&'*+.^`|~-]+[ \t](?:.*[ \t])?HTTP\/\d(?:\.\d)?$/i;

/**
 * Reads a line, without its LF; a CR at its end is not looked at. Words are parted by any number of
 * blanks and tabs.
 *
 * Returns undefined where somebody else is speaking: a browser, whose page could have put commands
 * into the lines that follow, or a program that sends bytes. Nothing of the rest is to be obeyed.
 */
export function readCommand(line: string): Command | undefined {
  const text = (line.endsWith('\r') ? line.slice(0, -1) : line).trim();
  if (CONTROL.test(text) || REQUEST.test(text)) return undefined;
  const [name = '', ...words] = text.split(/[ \t]+/);
  return { name, words };
}
