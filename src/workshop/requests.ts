/**
Validates everything that comes from a page before it is used.
*/

import * as z from 'zod/mini';
import {
	about, exactly, flag, id, listOf, maybe, oneOf, orNull, someText, textOf, whole,
} from '../parsing/schema.js';
import {valid} from '../parsing/validate.js';
import {senders} from '../scenario/probe-spec.js';
import {backends} from '../netfilter/types.js';
import type {Action, SharedState} from './protocol.js';

/** The longest rules text that a page may send, in characters. */
export const rulesTextMax = 1_000_000;

/** The most changes in a link. */
export const editsMax = 200;

/** The longest text of one rule: iptables itself accepts 2,048 words of it. */
const ruleTextMax = 4096;

const shortText = someText.check(z.maxLength(256, {error: 'at most 256 characters'}));
const name = textOf(/^[\w./-]{1,128}$/u, 'a name of letters, digits, and . _ / -');
const family = oneOf(['ipv4', 'ipv6']);
const backend = oneOf(backends);
/** One line, because text after a line end would be another rule. */
const ruleText = textOf(/^\P{Cc}*$/u, 'one rule in one line, without control characters').check(z.maxLength(ruleTextMax, {error: `at most ${ruleTextMax} characters`}));

const rules = z.discriminatedUnion('kind', [
	exactly({kind: z.literal('generated'), input: textOf(/^\P{Cc}{1,2000}$/u, 'a release with its options, in one line'), backend: maybe(backend)}),
	exactly({kind: z.literal('text'), name: textOf(/^\P{Cc}{1,80}$/u, 'a name of at most 80 characters'), text: someText.check(z.maxLength(rulesTextMax, {error: `at most ${rulesTextMax} characters of rules`})), backend: maybe(backend)}),
]);

const at = exactly({family: oneOf(['ip', 'ip6', 'inet']), table: name, chain: name, number: whole(1, 100_000)});

const inBoth = maybe(flag);

const edit = z.discriminatedUnion('kind', [
	exactly({kind: z.literal('delete'), at, inBoth}),
	exactly({
		kind: z.literal('move'), at, to: whole(1, 100_000), inBoth,
	}),
	exactly({
		kind: z.literal('negate'), at, condition: whole(0, 100), inBoth,
	}),
	exactly({
		kind: z.literal('value'), at, condition: maybe(whole(0, 100)), value: shortText, inBoth,
	}),
	exactly({
		kind: z.literal('text'), at, text: ruleText, inBoth,
	}),
	exactly({
		kind: z.literal('insert'), at, text: ruleText, inBoth,
	}),
]);

const question = z.discriminatedUnion('kind', [
	exactly({kind: z.literal('type'), type: textOf(/^\w{1,16}$/u, 'a type of traffic')}),
	exactly({
		kind: z.literal('connection'), from: oneOf(senders), to: shortText, protocol: maybe(oneOf(['tcp', 'udp'])), uid: maybe(id), gid: maybe(id),
	}),
]);

const shared = exactly({
	version: about('The version of the format: 1.', z.literal(1)),
	rules,
	edits: listOf(edit).check(z.maxLength(editsMax, {error: `at most ${editsMax} changes`})),
	family,
	question: orNull(question),
});

const view = exactly({step: orNull(whole(0, 100_000)), panel: oneOf(['send', 'predict', 'compare', 'lesson']), example: whole(0, 100_000)});

const action = z.discriminatedUnion('kind', [
	exactly({kind: z.literal('send'), question}),
	exactly({kind: z.literal('rules'), rules}),
	exactly({kind: z.literal('edit'), edit}),
	exactly({kind: z.literal('undo')}),
	exactly({kind: z.literal('redo')}),
	exactly({kind: z.literal('family'), family}),
	exactly({kind: z.literal('predict'), question}),
	exactly({kind: z.literal('guess'), candidate: orNull(whole(0, 10_000))}),
	exactly({kind: z.literal('clear-score')}),
	exactly({kind: z.literal('compare'), from: rules, to: rules}),
	exactly({kind: z.literal('restore'), state: shared}),
	exactly({kind: z.literal('lesson'), name: textOf(/^[\w-]{1,64}$/u, 'the name of a lesson')}),
	exactly({kind: z.literal('answer'), answer: listOf(shortText).check(z.maxLength(50, {error: 'at most 50 choices'}))}),
	exactly({kind: oneOf(['hint', 'give-up', 'next', 'close-lesson'])}),
	exactly({kind: z.literal('view'), view}),
	exactly({kind: z.literal('take')}),
]);

/**
An action from data that a page sent.

@throws {InputError} naming what is wrong.
*/
export function readAction(data: unknown): Action {
	return valid(action as z.ZodMiniType<Action>, data, 'This request');
}

/**
A state from the data of a link.

@throws {InputError} naming what is wrong.
*/
export function readSharedState(data: unknown): SharedState {
	return valid(shared as z.ZodMiniType<SharedState>, data, 'This link');
}

