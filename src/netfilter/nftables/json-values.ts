/**
Converts a value in nft's JSON to nft's text (libnftables-json(5), EXPRESSIONS). Every key of an object must be known; an unknown one is rejected by name.
*/

/** A result of `JSON.parse`. */
export type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};

/** A JSON object. */
export type JsonObject = Readonly<Record<string, Json>>;

/** Thrown for an expression or a key that has no text form here; the reader of the document turns it into a `ParseError`. `culprit` is the offending string, if there is one. */
export class JsonShapeError extends Error {
	override readonly name = 'JsonShapeError';
	readonly culprit: string | undefined;

	constructor(message: string, culprit?: string) {
		super(message);
		this.culprit = culprit;
	}
}

/** A string that nft's text has as a word without quotes: nothing in it may end the word or begin another. Throws `JsonShapeError`. */
export function bareWord(text: string): string {
	if (!/^[^\s"'#$;\\{}()\p{Cc}]+$/u.test(text)) {
		throw new JsonShapeError(`${JSON.stringify(text)}, where one word was expected`, text);
	}

	return text;
}

/** A string that nft's text has in quotes, which support no escapes. Throws `JsonShapeError`. */
export function quotedText(text: string): string {
	if (/["\p{Cc}]/u.test(text)) {
		throw new JsonShapeError(`${JSON.stringify(text)}, with a quote or a control character in it`, text);
	}

	return `"${text}"`;
}

/** The path of a string in a document: `rule.expr[1].match.right`; empty if it does not occur. */
export function pathOf(value: Json, wanted: string): string {
	const entries: ReadonlyArray<readonly [string, Json]> = Array.isArray(value)
		? (value as readonly Json[]).map((item, index) => [`[${index}]`, item] as const)
		: (isObject(value) ? Object.entries(value).map(([key, item]) => [/^\w+$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`, item] as const) : []);
	for (const [step, item] of entries) {
		if (item === wanted) {
			return step;
		}

		const deeper = pathOf(item, wanted);
		if (deeper !== '') {
			return step + deeper;
		}
	}

	return '';
}

/** Whether a value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of an object that may only have these keys. */
export function fieldsOf(what: string, value: Json | undefined, keys: readonly string[]): JsonObject {
	if (!isObject(value)) {
		throw new JsonShapeError(`expression ${what}`);
	}

	const unknown = Object.keys(value).find(key => !keys.includes(key));
	if (unknown !== undefined) {
		throw new JsonShapeError(`key "${unknown}" of expression ${what}`);
	}

	return value;
}

/** Name and content of `{"name": content}`. */
export function entryOf(value: Json | undefined): readonly [string, Json] {
	const entries = isObject(value) ? Object.entries(value) : [];
	const [entry] = entries;
	if (entry === undefined || entries.length > 1) {
		throw new JsonShapeError(`expression ${JSON.stringify(value)}`);
	}

	return entry;
}

/** A word or a number. */
export function plain(what: string, value: Json | undefined): string {
	if (typeof value !== 'string' && typeof value !== 'number') {
		throw new JsonShapeError(`expression ${what}`);
	}

	return typeof value === 'string' ? bareWord(value) : String(value);
}

/** One word or two, for keys and flags with two-word names in nft: `ip saddr` of `ct`, `tcp options` of `log`. */
function plainPair(what: string, value: Json | undefined): string {
	const [, first, second] = typeof value === 'string' ? /^(?<first>[a-z\d]+) (?<second>[a-z\d]+)$/u.exec(value) ?? [] : [];
	return first === undefined || second === undefined ? plain(what, value) : `${first} ${second}`;
}

/** A text in quotes. */
export function plainText(what: string, value: Json | undefined): string {
	if (typeof value !== 'string' && typeof value !== 'number') {
		throw new JsonShapeError(`expression ${what}`);
	}

	return quotedText(String(value));
}

/** A word, or words joined by commas. */
export function listOf(what: string, value: Json | undefined): string {
	return Array.isArray(value) ? value.map(item => plainPair(what, item as Json)).join(',') : plainPair(what, value);
}

const plainMetaKeys: ReadonlySet<string> = new Set(['iif', 'oif', 'iifname', 'oifname', 'iifgroup', 'oifgroup']);
const binaryOperators: ReadonlySet<string> = new Set(['&', '|', '^', '<<', '>>']);

type Printer = (value: Json, quotes: boolean) => string;

const printers: Readonly<Record<string, Printer>> = {
	payload(value) {
		const {protocol, field, base, offset, len} = fieldsOf('payload', value, ['protocol', 'field', 'base', 'offset', 'len']);
		return protocol === undefined
			? `@${plain('payload', base)},${plain('payload', offset)},${plain('payload', len)}`
			: `${plain('payload', protocol)} ${plain('payload', field)}`;
	},
	meta(value) {
		const key = plain('meta', fieldsOf('meta', value, ['key'])['key']);
		return plainMetaKeys.has(key) ? key : `meta ${key}`;
	},
	ct(value) {
		const {key, dir} = fieldsOf('ct', value, ['key', 'dir']);
		return ['ct', ...(dir === undefined ? [] : [plain('ct', dir)]), plainPair('ct', key)].join(' ');
	},
	rt(value) {
		const {key, family} = fieldsOf('rt', value, ['key', 'family']);
		return ['rt', ...(family === undefined ? [] : [plain('rt', family)]), plain('rt', key)].join(' ');
	},
	socket: value => `socket ${plain('socket', fieldsOf('socket', value, ['key'])['key'])}`,
	fib(value) {
		const {result, flags} = fieldsOf('fib', value, ['result', 'flags']);
		return `fib ${listOf('fib', flags).replaceAll(',', ' . ')} ${plain('fib', result)}`;
	},
	exthdr(value) {
		const {name, field} = fieldsOf('exthdr', value, ['name', 'field']);
		return field === undefined ? `exthdr ${plain('exthdr', name)}` : `${plain('exthdr', name)} ${plain('exthdr', field)}`;
	},
	'tcp option'(value) {
		const {name, field} = fieldsOf('tcp option', value, ['name', 'field']);
		return ['tcp option', plain('tcp option', name), ...(field === undefined ? [] : [plain('tcp option', field)])].join(' ');
	},
	concat: (value, quotes) => itemsOf('concat', value).map(item => printValue(item, quotes)).join(' . '),
	set: (value, quotes) => `{ ${itemsOf('set', value).map(item => printElement(item, quotes)).join(', ')} }`,
	range(value, quotes) {
		const [from, to, ...rest] = itemsOf('range', value);
		if (rest.length > 0) {
			throw new JsonShapeError('expression range');
		}

		return `${printValue(from, quotes)}-${printValue(to, quotes)}`;
	},
	prefix(value) {
		const {addr, len} = fieldsOf('prefix', value, ['addr', 'len']);
		return `${printValue(addr, false)}/${plain('prefix', len)}`;
	},
	map(value) {
		const {key, data} = fieldsOf('map', value, ['key', 'data']);
		return `${printValue(key, false)} map ${printValue(data, false)}`;
	},
	numgen(value) {
		const {mode, mod, offset} = fieldsOf('numgen', value, ['mode', 'mod', 'offset']);
		return `numgen ${plain('numgen', mode)} mod ${plain('numgen', mod)}${printOffset(offset)}`;
	},
	symhash(value) {
		const {mod, offset} = fieldsOf('symhash', value, ['mod', 'offset']);
		return `symhash mod ${plain('symhash', mod)}${printOffset(offset)}`;
	},
	jhash(value) {
		const {expr, mod, offset} = fieldsOf('jhash', value, ['expr', 'mod', 'offset']);
		return `jhash ${printValue(expr, false)} mod ${plain('jhash', mod)}${printOffset(offset)}`;
	},
	accept: () => 'accept',
	drop: () => 'drop',
	return: () => 'return',
	continue: () => 'continue',
	jump: value => `jump ${plain('jump', fieldsOf('jump', value, ['target'])['target'])}`,
	goto: value => `goto ${plain('goto', fieldsOf('goto', value, ['target'])['target'])}`,
};

/** An expression as text. With `quotes`, its words are names that nft quotes. Throws `JsonShapeError`. */
export function printValue(value: Json | undefined, quotes: boolean): string {
	if (typeof value === 'string') {
		return quotes && !value.startsWith('@') ? quotedText(value) : bareWord(value);
	}

	if (typeof value === 'number') {
		return String(value);
	}

	if (typeof value === 'boolean') {
		return value ? 'exists' : 'missing';
	}

	if (Array.isArray(value)) {
		return value.map(item => printValue(item as Json, quotes)).join(',');
	}

	const [name, content] = entryOf(value);
	if (binaryOperators.has(name)) {
		const [left, right, ...rest] = itemsOf(name, content);
		return [left, right, ...rest].map(operand => printValue(operand, quotes)).join(` ${name} `);
	}

	const printer = Object.hasOwn(printers, name) ? printers[name] : undefined;
	if (printer === undefined) {
		throw new JsonShapeError(`expression ${name}`);
	}

	return printer(content, quotes);
}

/** An element of a set, or of a map: `[key, data]`. */
function printElement(item: Json, quotes: boolean): string {
	if (!Array.isArray(item)) {
		return printValue(item, quotes);
	}

	const [key, data, ...rest] = item as readonly Json[];
	if (data === undefined || rest.length > 0) {
		throw new JsonShapeError('an element of a map');
	}

	return `${printValue(key, quotes)} : ${printValue(data, false)}`;
}

function printOffset(offset: Json | undefined): string {
	return offset === undefined || offset === 0 ? '' : ` offset ${plain('offset', offset)}`;
}

function itemsOf(what: string, value: Json): readonly Json[] {
	if (!Array.isArray(value)) {
		throw new JsonShapeError(`expression ${what}`);
	}

	return value as readonly Json[];
}
