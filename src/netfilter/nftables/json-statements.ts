/**
Converts a statement in nft's JSON to nft's text (libnftables-json(5), STATEMENTS; nft 1.0.6, measured).
*/

import {
	entryOf, fieldsOf, isObject, JsonShapeError, listOf, plain, plainText, printValue, type Json,
} from './json-values.js';

/** Bit fields of which several bits can be set at once. For these, naming some bits does not mean equality in nft. */
const bitFields: ReadonlySet<string> = new Set(['ct state', 'ct status', 'tcp flags', 'ct label', 'ct event']);
/** Values that nft prints in quotes. */
const quotedFields: ReadonlySet<string> = new Set(['iif', 'oif', 'iifname', 'oifname', 'ct helper', 'meta time', 'meta hour', 'meta day', 'meta ibrname', 'meta obrname']);
/** Default bursts, which are not printed: of packets, and of bytes. */
const packetBurst = 5;
const byteBurst = 0;

type Printer = (value: Json) => string;

const printers: Readonly<Record<string, Printer>> = {
	match: printMatch,
	counter: value => typeof value === 'string' ? `counter name ${plainText('counter', value)}` : 'counter',
	mangle(value) {
		const {key, value: assigned} = fieldsOf('mangle', value, ['key', 'value']);
		return `${printValue(key, false)} set ${printValue(assigned, false)}`;
	},
	vmap(value) {
		const {key, data} = fieldsOf('vmap', value, ['key', 'data']);
		return `${printValue(key, false)} vmap ${printValue(data, false)}`;
	},
	redirect(value) {
		const {port, flags} = fieldsOf('redirect', value ?? {}, ['port', 'flags']);
		return ['redirect', ...(port === undefined ? [] : [`to :${printValue(port, false)}`]), ...printFlags('redirect', flags)].join(' ');
	},
	masquerade(value) {
		const {port, flags} = fieldsOf('masquerade', value ?? {}, ['port', 'flags']);
		return ['masquerade', ...(port === undefined ? [] : [`to :${printValue(port, false)}`]), ...printFlags('masquerade', flags)].join(' ');
	},
	snat: value => printNat('snat', value),
	dnat: value => printNat('dnat', value),
	tproxy: value => printNat('tproxy', value),
	notrack: () => 'notrack',
	reject(value) {
		const {type, expr} = fieldsOf('reject', value ?? {}, ['type', 'expr']);
		return ['reject', ...(type === undefined ? [] : ['with', type === 'tcp reset' ? type : plain('reject', type)]), ...(expr === undefined ? [] : [plain('reject', expr)])].join(' ');
	},
	log: printLog,
	limit: printLimit,
	quota(value) {
		const {val, val_unit: unit, inv} = fieldsOf('quota', value, ['val', 'val_unit', 'inv', 'used', 'used_unit']);
		return ['quota', ...(inv === true ? ['over'] : []), plain('quota', val), plain('quota', unit)].join(' ');
	},
	'ct count'(value) {
		const {val, inv} = fieldsOf('ct count', value, ['val', 'inv']);
		return ['ct count', ...(inv === true ? ['over'] : []), plain('ct count', val)].join(' ');
	},
	set(value) {
		const {op, elem, set} = fieldsOf('set', value, ['op', 'elem', 'set']);
		return `${plain('set', op)} ${plain('set', set)} { ${printValue(elem, false)} }`;
	},
	meter(value) {
		const {key, stmt, size, name} = fieldsOf('meter', value, ['key', 'stmt', 'size', 'name']);
		return `meter ${plain('meter', name)} size ${plain('meter', size)} { ${printValue(key, false)} ${printStatement(stmt)} }`;
	},
};

/** A statement as text. Throws `JsonShapeError` for an unknown one. */
export function printStatement(statement: Json | undefined): string {
	const [name, content] = entryOf(statement);
	const printer = Object.hasOwn(printers, name) ? printers[name] : undefined;
	return printer === undefined ? printValue(statement, false) : printer(content);
}

function printMatch(value: Json): string {
	const {op, left, right} = fieldsOf('match', value, ['op', 'left', 'right']);
	const operator = plain('match', op);
	const masked = isObject(left) ? left['&'] : undefined;
	if (Array.isArray(masked) && (operator === '==' || operator === '!=') && printValue(masked[0] as Json, false) === 'tcp flags') {
		return `tcp flags ${operator === '!=' ? '!= ' : ''}${printValue(right, false)} / ${printValue(masked[1] as Json, false)}`;
	}

	const what = printValue(left, false);
	const isBits = bitFields.has(what) && !(isObject(right) && 'set' in right);
	const isImplied = operator === 'in' || (operator === '==' && !isBits && !/ [&|^] /u.test(what));
	const text = printValue(right, quotedFields.has(what));
	return [what, ...(isImplied ? [] : [operator]), what === 'ct expiration' ? `${text}s` : text].join(' ');
}

function printNat(name: string, value: Json): string {
	const {family, addr, port, flags} = fieldsOf(name, value, ['family', 'addr', 'port', 'flags']);
	const address = addr === undefined ? '' : printValue(addr, false);
	const bracketed = address.includes(':') && port !== undefined ? `[${address}]` : address;
	return [
		name,
		...(family === undefined ? [] : [plain(name, family)]),
		`to ${bracketed}${port === undefined ? '' : `:${printValue(port, false)}`}`,
		...printFlags(name, flags),
	].join(' ');
}

function printFlags(name: string, flags: Json | undefined): readonly string[] {
	return flags === undefined ? [] : [listOf(name, flags)];
}

function printLog(value: Json): string {
	const {prefix, flags, ...rest} = fieldsOf('log', value ?? {}, ['prefix', 'level', 'group', 'snaplen', 'queue-threshold', 'flags']);
	const named = ['group', 'snaplen', 'queue-threshold', 'level'].flatMap(key => rest[key] === undefined ? [] : [key, plain('log', rest[key])]);
	return ['log', ...(prefix === undefined ? [] : [`prefix ${plainText('log', prefix)}`]), ...named, ...printLogFlags(flags)].join(' ');
}

/** Flags of one protocol are one list; others are printed separately. */
function printLogFlags(flags: Json | undefined): readonly string[] {
	if (flags === undefined) {
		return [];
	}

	const words = listOf('log', flags).split(',');
	const ofProtocol = (protocol: string) => words.filter(word => word.startsWith(`${protocol} `)).map(word => word.slice(protocol.length + 1)).join(',');
	return [
		...['tcp', 'ip'].flatMap(protocol => ofProtocol(protocol) === '' ? [] : [`flags ${protocol} ${ofProtocol(protocol)}`]),
		...words.filter(word => !/^(?:tcp|ip) /u.test(word)).map(word => `flags ${word}`),
	];
}

function printLimit(value: Json): string {
	const fields = fieldsOf('limit', value, ['rate', 'rate_unit', 'per', 'burst', 'burst_unit', 'inv']);
	const {rate, per, burst, inv, rate_unit: unit, burst_unit: burstUnit} = fields;
	if (rate === undefined) {
		throw new JsonShapeError('expression limit');
	}

	const isBytes = unit !== undefined && unit !== 'packets';
	const speaks = burst !== undefined && burst !== (isBytes ? byteBurst : packetBurst);
	return [
		'limit rate',
		...(inv === true ? ['over'] : []),
		`${plain('limit', rate)}${isBytes ? ` ${plain('limit', unit)}` : ''}/${plain('limit', per)}`,
		...(speaks ? [`burst ${plain('limit', burst)} ${plain('limit', burstUnit ?? 'packets')}`] : []),
	].join(' ');
}
