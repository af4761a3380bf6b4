/**
The format of a lesson's front matter: each mapping with its keys and their meaning. The reader, its types and the JSON Schema for editors are all derived from it.
*/

import * as z from 'zod/mini';
import {jsonSchemaOf, type JsonSchema} from '../parsing/json-schema.js';
import {
	about, exactly, id, listOf, maybe, named, oneOf, someText, textOf, whole, type DataOf,
} from '../parsing/schema.js';
import {addressFamilies, devices} from '../mesh/topology.js';
import {backends} from '../netfilter/types.js';
import {senders} from '../scenario/probe-spec.js';

const line = textOf(/^[^\r\n]+$/u, 'one line of text');
const text = about('Text: paragraphs, lists, `code`, **strong** words.', someText);
const typeId = textOf(/^\w{1,4}$/u, 'the id of a type of traffic in quotes: "2"');
const chain = textOf(/^[^\s/]{1,64}$/u, 'the name of a chain: ISTIO_OUTPUT');
const stop = String.raw`[a-z][\w-]*:\d{1,5}`;
const listener = textOf(new RegExp(`^(?:${stop}|nobody)$`, 'u'), 'a listener, its actor and port (proxy:15001), or nobody');
const stops = textOf(new RegExp(`^(?:${stop}(?: → ${stop})*|nobody)$`, 'u'), 'listeners with arrows between them (proxy:15001 → remote:8080), or nobody');
const address = textOf(/^[\d.:A-Fa-f]+$/u, 'an address: 127.0.0.6');

/** How the last connection of a flow can end, in the words of reports; `loop` is a flow that never ends. */
export const flowEnds = ['accepted', 'closed', 'refused', 'dropped', 'unreachable', 'nowhere', 'lost', 'answer-dropped', 'loop'] as const;

const credentials = named('user', exactly({
	uid: about('The user.', id),
	gid: maybe(about('The group. Default: the number of the user.', id)),
}));

const insert = listOf(line);

const setup = named('setup', exactly({
	rules: about('A rule input as for --rules (release:1.31 with arguments, pod:FILE, or a dump file), or none. Files must be in the folder of the lesson or below it.', line),
	insert: maybe(about('Rules to insert, as arguments of iptables: -t nat -I OUTPUT 1 -m owner --uid-owner 0 -j RETURN.', insert)),
	backend: maybe(about('The back end. Default: iptables-nft, or the one that the rules are written for.', oneOf(backends))),
	family: maybe(about('The address family. Default: ipv4.', oneOf(addressFamilies))),
	proxy: maybe(about('The proxy\'s user. Default: as in testbed run.', credentials)),
	agent: maybe(about('The agent\'s user. Default: the proxy\'s.', credentials)),
	app: maybe(about('The app\'s user. Default: 1000.', credentials)),
}));

const connection = named('connection', exactly({
	name: about('A short description, unique within the step.', line),
	from: maybe(about('The actor that connects. Default: app.', oneOf(senders))),
	to: about('The destination: ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT.', line),
	proto: maybe(about('tcp or udp. Default: tcp.', oneOf(['tcp', 'udp']))),
	uid: maybe(about('The user of the sender\'s socket.', id)),
	gid: maybe(about('The group of the sender\'s socket. Default: the number of the user.', id)),
	source: maybe(about('The sender\'s source address.', address)),
	bindDevice: maybe(about('The device that the sender\'s socket is bound to.', oneOf(devices))),
}));

const traffic = named('traffic', exactly({
	types: maybe(about('The ids of types of traffic. Give either types or connections.', listOf(typeId, {min: 1, of: 'types'}))),
	connections: maybe(about('Connections, sent one after the other. Give either types or connections.', listOf(connection, {min: 1, of: 'connections'}))),
}));

const of = maybe(about('The connection that the question is about: the id of its type, or its name. Needed if the step sends several.', line));
const leg = maybe(about('The leg of the flow, counted from 1: the sender\'s connection is 1, the one that the proxy then opens is 2. Default: 1.', whole(1, 9)));

const choicesOf = <Choice extends z.ZodMiniType>(choice: Choice, what: string) => about(`The choices: at least two ${what}. If what the kernel does is not among them, the step is inconclusive.`, listOf(choice, {min: 2, of: what}));

const fixChoice = named('fix', exactly({
	text: about('A description of the change, in one line.', line),
	rules: maybe(about('The rule input with this change. Default: the one of the set-up.', line)),
	insert: maybe(about('Rules to insert, instead of those of the set-up.', insert)),
}));

const table = maybe(about('The table of the chain. Needed if several tables have a chain of that name.', textOf(/^[^\s/]{1,64}$/u, 'the name of a table: nat')));

/** The kinds of questions. If the answer is a list, all of it must be correct. */
const asked = named('asked', z.discriminatedUnion('what', [
	exactly({what: about('Which rule of a chain decides, that is, the last one in it that matches.', z.literal('rule')), of, leg, chain: about('The chain.', chain), table}),
	exactly({what: about('Which listener accepts a connection.', z.literal('listener')), of, leg, choices: choicesOf(listener, 'listeners')}),
	exactly({what: about('Which listeners the flow reaches, in order.', z.literal('stops')), of, choices: choicesOf(stops, 'lists of listeners')}),
	exactly({what: about('How the last connection of the flow ends.', z.literal('end')), of, choices: choicesOf(oneOf(flowEnds), 'ends')}),
	exactly({what: about('The source address of a connection.', z.literal('source')), of, leg, choices: choicesOf(address, 'addresses')}),
	exactly({what: about('Which types do not take the expected path. The answer is a list.', z.literal('failing'))}),
	exactly({what: about('Which connections reach no listener of the proxy. The answer is a list.', z.literal('bypassing'))}),
	exactly({what: about('Which rules of a chain no packet of the step matches. The answer is a list.', z.literal('unmatched')), chain: about('The chain.', chain), table}),
	exactly({what: about('With which changes all types of the step take the expected path. The answer is a list.', z.literal('fix')), choices: about('The changes. Each is run.', listOf(fixChoice, {min: 2, of: 'changes'}))}),
]));

const word = z.union([someText, whole(0, 999)], {error: 'an answer'});

const step = named('step', exactly({
	text: maybe(about('Text before the question.', text)),
	setup: maybe(about('The set-up of this step. Default: the one of the lesson.', setup)),
	traffic: about('What is sent.', traffic),
	show: maybe(about('Chains whose rules are listed before the question.', listOf(chain, {min: 1, of: 'chains'}))),
	question: about('The question.', text),
	asks: about('What the question is about. The kernel gives the correct answer.', asked),
	writtenFor: about('The answer that the hints and the ending were written for. It does not judge answers; the kernel does. If the kernel\'s answer differs, these texts are not shown.', z.union([word, listOf(word)], {error: 'an answer, or a list of answers'})),
	hints: maybe(about('Hints, shown one by one after wrong answers.', listOf(text, {min: 1, of: 'hints'}))),
	ending: about('Text after the answer.', text),
}));

/** The version of the format. */
export const lessonVersion = 1;

/** The version, which is read first. */
export const lessonHead = z.looseObject({version: about('The version of the format: 1.', whole(0, Number.MAX_SAFE_INTEGER, 'a whole number'))});

/** The front matter of a lesson. */
export const lessonSchema = exactly({
	version: about('The version of the format: 1.', z.literal(lessonVersion)),
	title: about('The title.', line),
	part: about('The part of the course that the lesson belongs to.', line),
	minutes: about('How long the lesson takes.', whole(1, 60)),
	setup: about('The rules that are installed.', setup),
	steps: about('The questions, in order.', listOf(step, {min: 1, of: 'steps'})),
	ending: about('Text at the end.', text),
});

/** A front matter as data. */
export type LessonData = DataOf<typeof lessonSchema>;

/** Rules and users of a step. */
export type LessonSetup = DataOf<typeof setup>;

/** A connection of a step. */
export type LessonConnection = DataOf<typeof connection>;

/** What a step sends. */
export type LessonTraffic = {readonly types: readonly string[]} | {readonly connections: readonly LessonConnection[]};

/** The question of a step. */
export type Asked = DataOf<typeof asked>;

/** A step as data. */
export type StepData = DataOf<typeof step>;

/** The JSON Schema of front matters. */
export function lessonJsonSchema(): JsonSchema {
	return jsonSchemaOf(lessonSchema, {title: 'The front matter of a lesson of the netfilter testbed', about: 'What is between the two lines of --- at the beginning of a file in lessons/.'});
}
