/**
Random rules in every spelling that the tools take: another order of options, aliases, short and long forms.
*/

import fastCheck from 'fast-check';
import type {AddressFamily} from '../../src/netfilter/types.js';

const negation = fastCheck.constantFrom('', '! ');
const port = fastCheck.integer({min: 0, max: 65_535});
const word = fastCheck.integer({min: 0, max: 0xFF_FF_FF_FF});
const number = fastCheck.tuple(word, fastCheck.boolean()).map(([value, isHex]) => isHex ? `0x${value.toString(16)}` : String(value));
const mark = fastCheck.oneof(number, fastCheck.tuple(number, number).map(pair => pair.join('/')));
const name = fastCheck.stringMatching(/^[a-z][a-z\d]{0,9}\+?$/);

function optional<Value>(value: fastCheck.Arbitrary<Value>): fastCheck.Arbitrary<Value | undefined> {
	return fastCheck.option(value, {nil: undefined, freq: 1});
}

function address(family: AddressFamily): fastCheck.Arbitrary<string> {
	const bits = family === 'ipv4' ? 32 : 128;
	const host = family === 'ipv4' ? fastCheck.ipV4() : fastCheck.ipV6();
	// No rule can be of no address, so `! …/0` is left to its own test.
	return fastCheck.oneof(host, fastCheck.tuple(host, fastCheck.integer({min: 1, max: bits})).map(([text, length]) => `${text}/${length}`));
}

const portRange = fastCheck.tuple(port, port, fastCheck.constantFrom('one', 'range', 'from', 'to')).map(([one, other, form]) => {
	const [from, to] = [Math.min(one, other), Math.max(one, other)];
	return {
		one: String(one), range: `${from}:${to}`, from: `${from || 1}:`, to: `:${to}`,
	}[form];
});

/** Comments of every printable character, quoted as iptables-save does, or bare where that is the same. */
const comment = fastCheck.tuple(fastCheck.string({maxLength: 20}), fastCheck.boolean()).map(([text, isBare]) => isBare && /^\w+$/.test(text) ? text : `"${text.replaceAll(/["'\\]/g, String.raw`\$&`)}"`);

const owners = fastCheck.tuple(negation, fastCheck.constantFrom('--uid-owner', '--gid-owner', '--uid'), port, port, fastCheck.boolean()).map(([not, option, one, other, isRange]) => `-m owner ${not}${option} ${isRange ? `${Math.min(one, other)}-${Math.max(one, other)}` : one}`);

const states = fastCheck.subarray(['NEW', 'RELATED', 'ESTABLISHED', 'INVALID', 'UNTRACKED'], {minLength: 1}).chain(list => fastCheck.shuffledSubarray(list, {minLength: list.length}));

/** Modules in any order, each with its options behind it. */
const modules = fastCheck.tuple(
	optional(owners),
	optional(fastCheck.tuple(negation, mark).map(([not, value]) => `-m mark ${not}--mark ${value}`)),
	optional(fastCheck.tuple(negation, mark).map(([not, value]) => `-m connmark ${not}--mark ${value}`)),
	optional(fastCheck.tuple(fastCheck.constantFrom('conntrack --ctstate', 'state --state'), states).map(([option, list]) => `-m ${option} ${list.join(',')}`)),
	optional(comment.map(text => `-m comment --comment ${text}`)),
	optional(fastCheck.constantFrom('-m addrtype --dst-type LOCAL', '-m addrtype ! --src-type LOCAL', '-m length --length 10:200', '-m pkttype --pkt-type broadcast')),
	optional(fastCheck.constantFrom('-m limit --limit 5/sec', '-m statistic --mode nth --every 5 --packet 0')),
).map(list => list.filter(text => text !== undefined)).chain(list => fastCheck.shuffledSubarray(list, {minLength: list.length}));

const protocol = fastCheck.tuple(
	fastCheck.constantFrom('-p tcp', '-p udp', '--protocol tcp', '-p 17'),
	optional(fastCheck.tuple(fastCheck.constantFrom('--dport', '--destination-port'), portRange, negation).map(([option, range, not]) => `${not}${option} ${range}`)),
	optional(fastCheck.tuple(fastCheck.constantFrom('--sport', '--source-port'), portRange, negation).map(([option, range, not]) => `${not}${option} ${range}`)),
	fastCheck.boolean(),
).map(([text, destination, source, isExplicit]) => {
	const module = text.includes('tcp') ? 'tcp' : 'udp';
	const ports = [destination, source].filter(option => option !== undefined);
	return [text, ...(isExplicit ? [`-m ${module}`] : []), ...ports].join(' ');
});

const targets = fastCheck.oneof(
	fastCheck.constantFrom('', '-j RETURN', '-j ACCEPT', '-j OTHER', '-g OTHER', '--jump DROP', '-j LOG --log-prefix "a b"', '-j CONNMARK --save-mark', '-j CONNMARK --restore-mark --mask 0xff'),
	fastCheck.tuple(fastCheck.constantFrom('MARK --set-mark', 'MARK --set-xmark', 'CONNMARK --set-xmark', 'CONNMARK --set-mark'), mark).map(([target, value]) => `-j ${target} ${value}`),
	fastCheck.tuple(fastCheck.constantFrom('--and-mark', '--or-mark', '--xor-mark'), number).map(([option, value]) => `-j MARK ${option} ${value}`),
);

/** One rule of the table mangle, which may jump to a chain OTHER. */
export function randomRule(family: AddressFamily): fastCheck.Arbitrary<string> {
	const core = fastCheck.tuple(
		optional(fastCheck.tuple(negation, fastCheck.constantFrom('-s', '--source'), address(family)).map(parts => `${parts[0]}${parts[1]} ${parts[2]}`)),
		optional(fastCheck.tuple(negation, fastCheck.constantFrom('-d', '--dst'), address(family)).map(parts => `${parts[0]}${parts[1]} ${parts[2]}`)),
		optional(fastCheck.tuple(negation, fastCheck.constantFrom('-i', '--in-interface'), name).map(parts => `${parts[0]}${parts[1]} ${parts[2]}`)),
		optional(protocol),
	).map(list => list.filter(text => text !== undefined)).chain(list => fastCheck.shuffledSubarray(list, {minLength: list.length}));
	return fastCheck.tuple(core, modules, targets, fastCheck.boolean()).map(([options, list, target, isFirst]) => (isFirst ? [target, ...options, ...list] : [...list, ...options, target]).filter(part => part !== '').join(' '));
}

/** A dump of mangle with these rules in a chain of their own. */
export function mangleOf(rules: readonly string[]): string {
	return ['*mangle', ':PREROUTING ACCEPT', ':INPUT ACCEPT', ':FORWARD ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT', ':MINE -', ':OTHER -', ...rules.map(rule => `-A MINE ${rule}`.trimEnd()), 'COMMIT', ''].join('\n');
}
