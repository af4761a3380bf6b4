/** The layer over the validator: each complaint says where, what is there, what was expected, and what a misspelled word means. */

import test from 'ava';
import * as z from 'zod/mini';
import {InputError} from '../../../src/parsing/input-error.js';
import {jsonSchemaOf} from '../../../src/parsing/json-schema.js';
import {
	about, anything, atLeast, count, exactly, flag, id, listOf, mapOf, maybe, named, number, oneOf, orNull, port, someText, text, textOf,
} from '../../../src/parsing/schema.js';
import {
	describeValue, printComplaint, printPath, valid, validate,
} from '../../../src/parsing/validate.js';

const listener = named('listener', exactly({port: about('The port.', port), protocol: maybe(oneOf(['tcp', 'udp']))}));
const schema = exactly({
	name: someText,
	about: maybe(text),
	uid: maybe(id),
	open: maybe(flag),
	share: maybe(number),
	counts: maybe(mapOf(count)),
	mark: maybe(textOf(/^0x[\da-f]+$/u, 'a mark such as 0x1')),
	pair: maybe(z.tuple([text, orNull(number)])),
	listens: maybe(listOf(z.union([port, text, listener], {error: 'a port, a word or a mapping with port and protocol'}), {min: 1, of: 'listeners'})),
	events: maybe(listOf(z.discriminatedUnion('kind', [atLeast({kind: z.literal('opened'), actor: text}), atLeast({kind: oneOf(['ended', 'cut'])})]))),
	extra: maybe(anything),
});

const good = {
	name: 'a', about: '', uid: 0, open: false, share: 0.5, counts: {a: 1, 'b c': 2}, mark: '0x1f', pair: ['a', null], listens: [80, 'inbound', {port: 1, protocol: 'udp'}], events: [{kind: 'opened', actor: 'app', more: 1}, {kind: 'cut'}], extra: null,
};

/** What spoils the data, and the sentence about it. */
const complaints: ReadonlyArray<readonly [data: unknown, sentence: string]> = [
	[[], 'the whole is an empty list; expected a mapping'],
	[5, 'the whole is 5; expected a mapping'],
	[null, 'the whole is null; expected a mapping'],
	[{}, '"name" is missing; expected a non-empty string'],
	[{nam: 'a'}, '"nam" is not known; did you mean "name"?'],
	[{name: 'a', nonsense: 1}, '"nonsense" is not known; known: name, about, uid, open, share, counts, mark, pair, listens, events, extra'],
	[{name: 'a', '\u001B[31m': 1}, String.raw`"["\u001b[31m"]" is not known; known: name, about, uid, open, share, counts, mark, pair, listens, events, extra`],
	[{name: ''}, '"name" is empty; expected a non-empty string'],
	[{name: 5}, '"name" is 5; expected a non-empty string'],
	[{name: 'a', about: null}, '"about" is null; expected a string'],
	[{name: 'a', about: undefined}, '"about" is missing; expected a string'],
	[{name: 'a', uid: -1}, '"uid" is -1; expected a whole number from 0 to 4294967294'],
	[{name: 'a', uid: 4_294_967_295}, '"uid" is 4294967295; expected a whole number from 0 to 4294967294'],
	[{name: 'a', uid: 1.5}, '"uid" is 1.5; expected a whole number from 0 to 4294967294'],
	[{name: 'a', uid: '0\u202E'}, String.raw`"uid" is "0\u202e"; expected a whole number from 0 to 4294967294`],
	[{name: 'a', open: 'yes'}, '"open" is "yes"; expected true or false'],
	[{name: 'a', share: Number.NaN}, '"share" is NaN; expected a number'],
	[{name: 'a', counts: {'b c': 'x'}}, '"counts["b c"]" is "x"; expected a whole number of at least 0'],
	[{name: 'a', counts: []}, '"counts" is an empty list; expected a mapping'],
	[{name: 'a', mark: '1'}, '"mark" is "1"; expected a mark such as 0x1'],
	[{name: 'a', mark: 1}, '"mark" is 1; expected a mark such as 0x1'],
	[{name: 'a', pair: ['a']}, '"pair" is a list; expected a list of 2'],
	[{name: 'a', pair: ['a', 1, 2]}, '"pair" is a list; expected a list of 2'],
	[{name: 'a', pair: ['a', 'b']}, '"pair[1]" is "b"; expected a number'],
	[{name: 'a', pair: {}}, '"pair" is an object; expected a list of 2'],
	[{name: 'a', listens: []}, '"listens" is an empty list; expected a list of listeners with at least one item'],
	[{name: 'a', listens: 80}, '"listens" is 80; expected a list of listeners'],
	[{name: 'a', listens: [true]}, '"listens[0]" is true; expected a port, a word or a mapping with port and protocol'],
	[{name: 'a', listens: [80, {}]}, '"listens[1].port" is missing; expected a whole number from 1 to 65535: the port'],
	[{name: 'a', listens: [{port: 80, protocol: 'tpc'}]}, '"listens[0].protocol" is "tpc"; expected one of tcp, udp; did you mean "tcp"?'],
	[{name: 'a', listens: [{prot: 80}]}, '"listens[0].prot" is not known; did you mean "port"?'],
	[{name: 'a', events: [{kind: 'closed'}]}, '"events[0].kind" is "closed"; expected one of opened, ended, cut'],
	[{name: 'a', events: [{kind: 'opend'}]}, '"events[0].kind" is "opend"; expected one of opened, ended, cut; did you mean "opened"?'],
	[{name: 'a', events: [{}]}, '"events[0].kind" is missing; expected one of opened, ended, cut'],
	[{name: 'a', events: [{kind: 'opened'}]}, '"events[0].actor" is missing; expected a string'],
	[{name: 'a', extra: undefined}, '"extra" is missing; expected any value'],
	[{name: 'x'.repeat(70), uid: 'y'.repeat(61)}, `"uid" is "${'y'.repeat(60)}…"; expected a whole number from 0 to 4294967294`],
];

test('valid data is accepted unchanged', t => {
	t.deepEqual(validate(schema, good), {value: good} as never);
	t.deepEqual(validate(schema, {name: 'a'}), {value: {name: 'a'}});
});

for (const [index, [data, sentence]] of complaints.entries()) {
	test(`refused, ${index}: ${sentence}`, t => {
		const result = validate(schema, data);
		t.true('complaints' in result);
		if ('complaints' in result) {
			t.is(printComplaint(result.complaints[0]), sentence);
			t.throws(() => valid(schema, data, 'This document is damaged'), {instanceOf: InputError, message: `This document is damaged: ${sentence}.`});
		}
	});
}

test('nothing of a document that is only text is shown', t => {
	t.throws(() => valid(schema, 'hunter2', 'This document is damaged'), {instanceOf: InputError, message: 'This document is damaged: the whole is text; expected a mapping.'});
});

test('one complaint for each unknown key, before the one for the missing key', t => {
	const result = validate(listener, {prot: 1, protocl: 'tcp'});
	t.deepEqual('complaints' in result && result.complaints.map(each => printComplaint(each, 'probe 1')), [
		'probe 1.prot is not known; did you mean "port"?',
		'probe 1.port is missing; expected a whole number from 1 to 65535: the port',
		'probe 1.protocl is not known; did you mean "protocol"?',
	]);
});

test('places in messages', t => {
	t.is(printPath([]), '');
	t.is(printPath(['rounds', 0, 'my key', 'x'], 'run'), 'run.rounds[0]["my key"].x');
});

test('values in messages', t => {
	class Sandbox {
		readonly openedAt = Date.now();
	}

	for (const [value, words] of [
		[undefined, 'undefined'], [1n, 'a bigint'], [Promise.resolve(), 'a promise (an await is missing?)'], [() => 1, 'a function'], [Symbol('x'), 'a symbol'], [{}, 'an object'], [Object.create(null), 'an object'], [new Sandbox(), 'a Sandbox'], [{constructor: {name: '\u001B'}}, 'a strange object'], ['🌍'.repeat(61), `"${'🌍'.repeat(60)}…"`],
	] as const) {
		t.is(describeValue(value), words);
	}
});

test('a JSON Schema has the names, the descriptions and the bounds', t => {
	t.like(jsonSchemaOf(schema, {title: 'A test'}), {
		$schema: 'http://json-schema.org/draft-07/schema#', title: 'A test', type: 'object', additionalProperties: false, required: ['name'],
		definitions: {
			listener: {
				type: 'object', additionalProperties: false, required: ['port'], properties: {port: {description: 'The port.', type: 'integer', minimum: 1, maximum: 65_535}, protocol: {type: 'string', enum: ['tcp', 'udp']}},
			},
		},
	});
});
