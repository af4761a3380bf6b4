/**
The schema of the lines of a recording. Missing evidence must not pass for evidence that nothing happened: a round without a count of overruns is not a round without overruns.

Other keys are kept: a later version of the testbed may record more.
*/

import * as z from 'zod/mini';
import {
	atLeast, flag, listOf, mapOf, maybe, number, oneOf, orNull, text, textOf,
} from '../../src/parsing/schema.js';
import {printComplaint, validate} from '../../src/parsing/validate.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import {traceStreams} from '../../src/netfilter/backends.js';
import {backends} from '../../src/netfilter/types.js';

const family = oneOf(addressFamilies);
const credentials = atLeast({uid: number, gid: number});
/** An object that is read as is: this testbed wrote it by its types. */
const mapping = atLeast({});

const ruleSet = atLeast({
	tables: listOf(atLeast({
		family: text,
		name: text,
		chains: listOf(atLeast({
			name: text,
			rules: listOf(atLeast({
				chain: text, number, matches: listOf(mapping), target: mapping, text,
			})),
		})),
	})),
});

const question = atLeast({
	rules: atLeast({
		source: text,
		release: orNull(text),
		mesh: maybe(text),
		backend: oneOf(backends),
		ruleSet,
		beside: maybe(listOf(text)),
		warnings: listOf(text),
		notes: maybe(listOf(text)),
		reference: ruleSet,
		intent: mapping,
	}),
	families: listOf(family),
	types: listOf(text),
	credentials: atLeast({proxy: credentials}),
	others: maybe(listOf(atLeast({
		name: text, part: text, uid: number, gid: number,
	}))),
	only: maybe(listOf(text)),
	topology: mapping,
	places: listOf(z.tuple([
		atLeast({
			family: text, table: text, chain: text, number,
		}),
		atLeast({file: text, line: maybe(number)}),
	])),
	scenario: maybe(atLeast({
		file: text,
		name: text,
		about: text,
		cases: listOf(atLeast({
			id: text, name: text, probe: atLeast({actor: text, family}), expected: atLeast({legs: listOf(mapping)}),
		})),
	})),
});

const kernelTexts = atLeast({listing: text, saved: listOf(atLeast({family, text}))});

const hexadecimal = textOf(/^(?:[\da-f]{2})*$/u, 'bytes in hexadecimal');

/** A socket event. The end of a socket refers to one whose actor was already named. */
const socket = z.discriminatedUnion('kind', [
	atLeast({kind: oneOf(['opened', 'accepted', 'unsent', 'attempted', 'watched']), id: text, actor: text}),
	atLeast({kind: oneOf(['ended', 'cut']), id: text}),
]);

const round = atLeast({
	before: kernelTexts,
	after: kernelTexts,
	overruns: number,
	datagrams: listOf(z.tuple([oneOf(traceStreams), hexadecimal])),
	ends: listOf(atLeast({
		index: number, id: text, label: text, answered: flag, reason: text, durationMs: maybe(number),
	})),
	sockets: listOf(socket),
	interfaces: listOf(z.tuple([number, text])),
	flows: maybe(text),
});

const actor = atLeast({
	name: text, namespace: text, asked: credentials, pid: maybe(number), found: maybe(credentials), made: maybe(credentials), ended: maybe(text), troubles: listOf(text),
});

const evidence = atLeast({
	question,
	play: atLeast({
		held: listOf(atLeast({family: orNull(family), text})),
		rounds: listOf(round),
		actors: listOf(actor),
		answered: maybe(listOf(text)),
		sysctls: maybe(listOf(z.tuple([text, mapOf(text)]))),
	}),
	environment: atLeast({
		kernel: text, iptables: text, nft: text, node: text, proxy: maybe(text),
	}),
	durationMs: number,
});

/** A line for one run. */
const entry = z.discriminatedUnion('kind', [
	atLeast({kind: z.literal('evidence'), evidence}),
	atLeast({
		kind: oneOf(['rejected', 'unavailable', 'inconclusive']), source: text, release: orNull(text), backend: oneOf(backends), scenario: maybe(text), reason: text,
	}),
]);

/** What is wrong with the line of a run, with the place in it; undefined if nothing is. */
export function complaintAbout(line: unknown): string | undefined {
	const result = validate(entry, line);
	return 'value' in result ? undefined : printComplaint(result.complaints[0], 'run');
}
