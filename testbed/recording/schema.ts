/**
What the lines of a recording look like. A recording is evidence, and evidence that is not there must not pass for evidence that there was nothing: a round without its count of overruns is no round without overruns.
*/

import {addressFamilies} from '../../src/scenario/topology.js';
import {typeIds} from '../../src/scenario/six-types.js';
import {backends} from '../../src/netfilter/types.js';

/** Says of a value what is wrong with it, by its place; undefined where nothing is. */
type Check = (value: unknown, place: string) => string | undefined;

const typed = (type: 'string' | 'number' | 'boolean', name: string): Check => (value, place) => typeof value === type ? undefined : `${place} should be ${name}`;
const text = typed('string', 'a text');
const number = typed('number', 'a number');
const flag = typed('boolean', 'true or false');
const oneOf = (values: readonly unknown[]): Check => (value, place) => values.includes(value) ? undefined : `${place} should be ${values.join(' or ')}`;
const optional = (check: Check): Check => (value, place) => value === undefined ? undefined : check(value, place);
const textOrNull: Check = (value, place) => value === null ? undefined : text(value, place);

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A mapping with at least these keys. */
const mapping = (keys: Readonly<Record<string, Check>>): Check => (value, place) => isMapping(value)
	? firstOf(Object.entries(keys).map(([key, check]) => () => check(value[key], `${place}.${key}`)))
	: `${place} should be a mapping`;

/** A mapping of any keys. */
const mappingOf = (check: Check): Check => (value, place) => isMapping(value)
	? firstOf(Object.entries(value).map(([key, item]) => () => check(item, `${place}.${key}`)))
	: `${place} should be a mapping`;

const listOf = (check: Check): Check => (value, place) => Array.isArray(value)
	? firstOf(value.map((item, index) => () => check(item, `${place}[${index}]`)))
	: `${place} should be a list`;

/** A list of so many things, each of its own kind. */
const tuple = (...checks: readonly Check[]): Check => (value, place) => Array.isArray(value) && value.length === checks.length
	? firstOf(checks.map((check, index) => () => check(value[index], `${place}[${index}]`)))
	: `${place} should be a list of ${checks.length}`;

function firstOf(checks: ReadonlyArray<() => string | undefined>): string | undefined {
	for (const check of checks) {
		const complaint = check();
		if (complaint !== undefined) {
			return complaint;
		}
	}

	return undefined;
}

const family = oneOf(addressFamilies);
const credentials = mapping({uid: number, gid: number});
const anything = mapping({});

const ruleSet = mapping({
	tables: listOf(mapping({
		family: text,
		name: text,
		chains: listOf(mapping({
			name: text,
			rules: listOf(mapping({
				chain: text, number, matches: listOf(anything), target: anything, text,
			})),
		})),
	})),
});

const question = mapping({
	rules: mapping({
		source: text, release: textOrNull, backend: oneOf(backends), ruleSet, warnings: listOf(text), notes: optional(listOf(text)), reference: ruleSet, intent: anything,
	}),
	families: listOf(family),
	types: listOf(oneOf(typeIds)),
	credentials: mapping({proxy: credentials}),
	topology: anything,
	places: listOf(tuple(mapping({
		family: text, table: text, chain: text, number,
	}), mapping({file: text, line: optional(number)}))),
	scenario: optional(mapping({
		file: text,
		name: text,
		about: text,
		cases: listOf(mapping({
			id: text, name: text, probe: mapping({actor: text, family}), expected: mapping({legs: listOf(anything)}),
		})),
	})),
});

const kernelTexts = mapping({listing: text, saved: listOf(mapping({family, text}))});

const hexadecimal: Check = (value, place) => typeof value === 'string' && /^(?:[\da-f]{2})*$/u.test(value) ? undefined : `${place} should be bytes in hexadecimal`;

/** An end is that of a socket whose actor has been named. */
const socket: Check = (value, place) => mapping({
	kind: oneOf(['opened', 'accepted', 'ended', 'cut', 'unsent']),
	id: text,
	...(isMapping(value) && (value['kind'] === 'ended' || value['kind'] === 'cut') ? {} : {actor: text}),
})(value, place);

const round = mapping({
	before: kernelTexts,
	after: kernelTexts,
	overruns: number,
	datagrams: listOf(tuple(oneOf(['nft', 'nflog']), hexadecimal)),
	ends: listOf(mapping({
		index: number, id: text, label: text, answered: flag, reason: text,
	})),
	sockets: listOf(socket),
	interfaces: listOf(tuple(number, text)),
	flows: optional(text),
});

const actor = mapping({
	name: text, namespace: text, asked: credentials, pid: optional(number), found: optional(credentials), made: optional(credentials), ended: optional(text), troubles: listOf(text),
});

const evidence = mapping({
	question,
	play: mapping({
		held: listOf(mapping({family: (value, place) => value === null ? undefined : family(value, place), text})),
		rounds: listOf(round),
		actors: listOf(actor),
		sysctls: optional(listOf(tuple(text, mappingOf(text)))),
	}),
	environment: mapping({
		kernel: text, iptables: text, nft: text, node: text,
	}),
	durationMs: number,
});

const other = mapping({
	source: text, release: textOrNull, backend: oneOf(backends), scenario: optional(text), reason: text,
});

/** What is wrong with a line for one run, by its place in it; undefined where nothing is. */
export function complaintAbout(line: unknown): string | undefined {
	const kind = isMapping(line) ? line['kind'] : undefined;
	return kind === 'evidence'
		? mapping({evidence})(line, 'run')
		: (mapping({kind: oneOf(['evidence', 'rejected', 'unavailable', 'inconclusive'])})(line, 'run') ?? other(line, 'run'));
}
