/**
One probe: what a user can ask for, and the one table of its fields. The options of `testbed probe`, the keys of a batch line and of the library's `probe()`, the checks of all three, the socket options that the prober sets, and the words of reports and printed commands come from {@link probeFields}. To add a field: CONTRIBUTING, "A new probe field".
*/

import type {Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';
import {addressFamilies} from './topology.js';
import type {ActorName} from './types.js';

/** Every actor that can send a probe. */
export const senders = ['app', 'proxy', 'agent', 'remote', 'istiod', 'prometheus'] as const satisfies readonly ActorName[];

/** A probe as a user asks for it, with its values read. What is undefined is as in `testbed run`, or the route's or the kernel's choice. */
export type ProbeSpec = {
	/** Given back with the answer as it is. */
	readonly id?: unknown;
	/** Who connects. Default: `app`. */
	readonly from: ActorName;
	/** The destination as the user named it, and the address that it stands for. */
	readonly asked: string;
	readonly to: Endpoint;
	/** Of a place; an address says it itself. Default: `ipv4`. */
	readonly family: AddressFamily;
	/** User and group of the sender. Default: as in `testbed run`; the group follows the user. */
	readonly uid?: number | undefined;
	readonly gid?: number | undefined;
	readonly protocol: 'tcp' | 'udp';
	/** The sender's address and port. Default: what the route gives, and what the kernel gives. */
	readonly source?: string | undefined;
	readonly sourcePort?: number | undefined;
	/** The mark of the sender's socket (SO_MARK). Default: none. */
	readonly mark?: number | undefined;
	/** The device that the sender's socket is bound to (SO_BINDTODEVICE). Default: none. */
	readonly bindDevice?: string | undefined;
	/** A packet that belongs to no connection, in place of the first one of a connection. Classes of packets ask for it, users cannot. */
	readonly packet?: 'invalid' | undefined;
};

/** A probe as the prober sends it: everything is settled that a run would settle. `id` names it in messages. */
export type ProbeRequest = Omit<ProbeSpec, 'id' | 'from' | 'asked' | 'family' | 'uid' | 'gid'> & {
	readonly id: string;
	/** The namespace whose socket sends it. */
	readonly from: 'pod' | 'remote';
	/** Who sends it, as the leg names it; `from` where it is not given. */
	readonly actor?: string;
	readonly uid: number;
	readonly gid: number;
};

/** A probe as a user writes it: a line of a batch, and what the library is given. Only `to` must be there. */
export type ProbeInput = Partial<Omit<ProbeSpec, 'id' | 'asked' | 'to' | 'protocol' | 'packet'>> & {
	/** `10.96.0.1:443`, `[2001:db8::1]:443`, or a place of the default topology: `remote:8080`, `pod:9090`, `vip:8080`. */
	readonly to: string;
	/** Default: `tcp`. */
	readonly proto?: ProbeSpec['protocol'];
};

/** The values that a field takes. */
export type FieldValues =
	| {readonly kind: 'anything'}
	| {readonly kind: 'choice'; readonly choices: readonly string[]}
	| {readonly kind: 'number'; readonly max: number; readonly isHexadecimal?: boolean}
	/** `mustBe` completes "it must be …". */
	| {readonly kind: 'text'; readonly pattern: RegExp; readonly mustBe: string};

/** One field. Its key, in JSON and camel case, is its name unless `key` says otherwise; its option is the key in kebab case. */
export type ProbeField = {
	readonly key?: string;
	readonly values: FieldValues;
	/** What stands for it where it is not given. */
	readonly standard?: string;
	/** The option of `testbed probe`: what stands for its value in the help, and what it means. A field without one is of batch lines alone. */
	readonly option?: {readonly value: string; readonly help: string};
	/** The socket option that carries it to the kernel, as messages name it. Its setter is in `testbed/syscalls/probe-socket.ts`. Such a probe is sent by the prober, for actors open plain sockets. */
	readonly socketOption?: string;
	/** What a report writes before the value; a field without one is told elsewhere, or not at all. */
	readonly label?: string;
};

const wholeNumber = (max: number): FieldValues => ({kind: 'number', max});
const text = (pattern: RegExp, mustBe: string): FieldValues => ({kind: 'text', pattern, mustBe});

/** Largest UID and GID that a process can have: the next one means "no change" to the kernel (setresuid(2)). */
export const idMax = 0xFF_FF_FF_FE;

/** All fields, in the order of the help, of JSON and of printed commands. */
export const probeFields = {
	id: {values: {kind: 'anything'}},
	from: {values: {kind: 'choice', choices: senders}, standard: 'app', option: {value: 'actor', help: 'who connects'}},
	to: {values: text(/./u, 'ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT'), option: {value: 'destination', help: 'ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT'}},
	family: {values: {kind: 'choice', choices: addressFamilies}, option: {value: 'name', help: 'of a place; an address says it itself (default: ipv4)'}},
	uid: {values: wholeNumber(idMax), option: {value: 'n', help: 'user of the sender (default: as in run)'}},
	gid: {values: wholeNumber(idMax), option: {value: 'n', help: 'group of the sender (default: the number of its user)'}},
	protocol: {
		key: 'proto', values: {kind: 'choice', choices: ['tcp', 'udp']}, standard: 'tcp', option: {value: 'name', help: 'of the first packet'},
	},
	source: {values: text(/./u, 'an address'), option: {value: 'address', help: 'the sender\'s own address to connect from (default: what the route says)'}, label: 'from'},
	sourcePort: {values: wholeNumber(65_535)},
	mark: {
		values: {kind: 'number', max: 0xFF_FF_FF_FF, isHexadecimal: true},
		option: {value: 'n', help: 'mark of the sender\'s socket: 1337 or 0x539 (default: none)'},
		socketOption: 'SO_MARK',
		label: 'mark',
	},
	bindDevice: {
		values: text(/^[^\s/]{1,15}$/u, 'a device: 1 to 15 characters without spaces and slashes'), // IFNAMSIZ - 1 (linux/if.h).
		option: {value: 'name', help: 'device that the sender\'s socket is bound to (default: none)'},
		socketOption: 'SO_BINDTODEVICE',
		label: 'bound to',
	},
} as const satisfies Readonly<Record<keyof Omit<ProbeSpec, 'asked' | 'packet'>, ProbeField>>;

/** The name of a field in a {@link ProbeSpec}. */
export type FieldName = keyof typeof probeFields;

/** The fields that the kernel learns by a socket option. */
type SocketOptionField = {[Name in FieldName]: typeof probeFields[Name] extends {readonly socketOption: string} ? Name : never}[FieldName];

/** The socket options of probes: each needs a setter. */
export type SocketOption = {[Name in SocketOptionField]: typeof probeFields[Name]['socketOption']}[SocketOptionField];

/** All fields as a list, each with its name and its key. */
export const fieldList: ReadonlyArray<ProbeField & {readonly name: FieldName; readonly key: string}> = (Object.entries(probeFields) as ReadonlyArray<readonly [FieldName, ProbeField]>)
	.map(([name, field]) => ({...field, name, key: field.key ?? name}));

/** The fields that travel by a socket option, in the order in which the options are set. */
export const socketOptionFields = fieldList.flatMap(({name, socketOption, values}) => socketOption === undefined ? [] : [{name: name as SocketOptionField, step: socketOption as SocketOption, isText: values.kind === 'text'}]);

/** The keys of a line, for messages. */
export const probeKeys: readonly string[] = fieldList.map(({key}) => key);

/** Whether the probe asks for something that a socket of an actor cannot do, so that the prober must send it. */
export function needsProber(probe: Readonly<Partial<Pick<ProbeSpec, SocketOptionField>>>): boolean {
	return socketOptionFields.some(({name}) => probe[name] !== undefined);
}

/** The option of a key: `bindDevice` → `--bind-device`. */
export function optionOf(key: string): string {
	return `--${key.replaceAll(/[A-Z]/gu, letter => `-${letter.toLowerCase()}`)}`;
}

/** What a value of a field must be, where it is something else: "a whole number from 0 to 65535". Undefined for a value that is right. */
export function mustBe(values: FieldValues, value: unknown): string | undefined {
	switch (values.kind) {
		case 'anything': {
			return undefined;
		}

		case 'choice': {
			return typeof value === 'string' && values.choices.includes(value) ? undefined : `one of ${values.choices.join(', ')}`;
		}

		case 'number': {
			return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= values.max ? undefined : `a whole number from 0 to ${values.max}`;
		}

		case 'text': {
			return typeof value === 'string' && values.pattern.test(value) ? undefined : values.mustBe;
		}
	}
}

/** A value as a command line writes it, or as a report shows it: marks in hexadecimal. */
export function printFieldValue({values}: Pick<ProbeField, 'values'>, value: unknown): string {
	return values.kind === 'number' && values.isHexadecimal === true ? `0x${(value as number).toString(16)}` : String(value);
}

/** A word of the command line as the value of a field, not yet checked: a number where one is due, decimal or hexadecimal where the field allows it. */
export function valueOfWord({values}: Pick<ProbeField, 'values'>, word: string): unknown {
	if (values.kind !== 'number') {
		return word;
	}

	return /^\d+$/u.test(word) || (values.isHexadecimal === true && /^0x[\da-f]{1,8}$/iu.test(word)) ? Number(word) : word;
}
