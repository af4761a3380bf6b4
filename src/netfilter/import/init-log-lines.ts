/**
The lines of a log as the program wrote them: without what kubectl, the container runtime and the logger put in front, and with a line of its own for each line of a message.
*/

import type {Line} from '../parse-error.js';

/** What stands in front of a line, the outermost first. Each is taken off as often as it is there. */
const prefixes: readonly RegExp[] = [
	// Kubectl --prefix, stern, docker compose.
	/^\[pod\/\S+]\s+/,
	// Kubectl --timestamps, and the logger's own.
	/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?:\s|$)/,
	// The runtime's own files (CRI): stream and tag.
	/^(?:stdout|stderr) [FP](?: |$)/,
	// The level, and the scope behind it.
	/^\s*(?:trace|debug|info|warn|warning|error|fatal)(?:\t| {2,})(?:[\w-]+\t)?/i,
	/^\s*(?:\[(?:debug|info|warn|error)]|level=(?:debug|info|warn|error)\s+msg=)\s*/i,
	// Klog.
	/^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ \S+:\d+]\s*/,
];

/** The program's lines, each with the number of the user's line that it was in. */
export function programLines(lines: readonly Line[]): readonly Line[] {
	return lines.flatMap(({number, text}) => messageOf(text).split('\n').map((piece): Line => ({number, text: withoutPrefix(piece).trim()})));
}

function messageOf(text: string): string {
	const bare = withoutPrefix(text);
	if (bare.startsWith('{')) {
		const message = messageOfJson(bare);
		if (message !== undefined) {
			return message;
		}
	}

	// A message that was quoted whole has its line feeds as two characters.
	return bare.includes(String.raw`\n`) ? bare.replaceAll(String.raw`\n`, '\n').replaceAll(String.raw`\t`, '\t').replaceAll(String.raw`\"`, '"') : bare;
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
