/**
The lines of a log as the program wrote them: without the prefixes of kubectl, the container runtime and the logger, and with multi-line messages split into lines.
*/

import type {Line} from '../parse-error.js';

/** Line prefixes, from the outside in. Each is removed as often as it occurs. */
const prefixes: readonly RegExp[] = [
	// Kubectl --prefix, stern, docker compose.
	/^\[pod\/\S+]\s+/,
	// Kubectl --timestamps, and the logger's own.
	/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?:\s|$)/,
	// The container runtime's log files (CRI): stream and tag.
	/^(?:stdout|stderr) [FP](?: |$)/,
	// The level, and the scope after it.
	/^\s*(?:trace|debug|info|warn|warning|error|fatal)(?:\t| {2,})(?:[\w-]+\t)?/i,
	/^\s*(?:\[(?:debug|info|warn|error)]|level=(?:debug|info|warn|error)\s+msg=)\s*/i,
	// Klog.
	/^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ \S+:\d+]\s*/,
];

/** The program's lines, each with the number of the line in the user's text. */
export function programLines(lines: readonly Line[]): readonly Line[] {
	return lines.flatMap(({number, text}) => messageOf(text).split('\n').map((piece): Line => ({number, text: withoutPrefix(piece).trim()})));
}

/** Logfmt: `time=… level=info msg="Running iptables-restore with:\n* nat\n…"`. Values with blanks, quotes or line feeds are quoted as in Go. */
const logfmtPattern = /^(?:[\w.@/-]+=(?:"(?:[^"\\]|\\.)*"|\S*)\s+)*(?:msg|message)=(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>\S+))(?:\s|$)/u;

function messageOf(text: string, depth = 0): string {
	const {quoted, plain} = text.includes('=') ? logfmtPattern.exec(text)?.groups ?? {} : {};
	if (quoted !== undefined || plain !== undefined) {
		return plain ?? unquoted(quoted!);
	}

	const bare = withoutPrefix(text);
	if (bare.startsWith('{')) {
		// Container runtimes write JSON lines, which can contain the program's own JSON.
		const message = messageOfJson(bare);
		if (message !== undefined) {
			return depth < depthMax ? messageOf(message, depth + 1) : message;
		}
	}

	// In a message that was quoted as a whole, line feeds are two characters.
	return bare.includes(String.raw`\n`) ? bare.replaceAll(String.raw`\n`, '\n').replaceAll(String.raw`\t`, '\t').replaceAll(String.raw`\"`, '"') : bare;
}

/** How deep messages can be nested: the program's in the runtime's in the collector's. */
const depthMax = 3;

function unquoted(text: string): string {
	const escapes: Readonly<Record<string, string>> = {n: '\n', t: '\t', r: ''};
	return text.replaceAll(/\\(?<letter>.)/gu, (_, letter: string) => escapes[letter] ?? letter);
}

function messageOfJson(text: string): string | undefined {
	let entry: unknown;
	try {
		entry = JSON.parse(text);
	} catch {
		return undefined;
	}

	const fields = entry as Readonly<Record<string, unknown>>;
	const message = ['msg', 'message', 'log'].map(name => fields[name]).find(value => typeof value === 'string');
	return message?.replace(/\n$/, '');
}

function withoutPrefix(text: string): string {
	let rest = text;
	for (let length = -1; length !== rest.length;) {
		length = rest.length;
		for (const prefix of prefixes) {
			rest = rest.replace(prefix, '');
		}
	}

	return rest;
}
