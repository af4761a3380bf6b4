/**
One probe: what a user can ask for, and the one table of its fields. The options of `testbed probe`, the keys of a batch line and of the library's `probe()`, the checks of all three, the socket options that the prober sets, and the words of reports and printed commands come from {@link probeFields}. To add a field, see CONTRIBUTING.md, "How to add a field of testbed probe".
*/

import type {Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';
import {addressFamilies, devices} from '../mesh/topology.js';
import type {ActorName} from '../mesh/traffic.js';

/** Every actor that can send a probe. */
export const senders = ['app', 'proxy', 'agent', 'remote', 'istiod', 'prometheus'] as const satisfies readonly ActorName[];

/** A probe as a user asks for it, with its values parsed. Undefined values are as in `testbed run`, or chosen by the route or the kernel. */
export type ProbeSpec = {
	/** Returned unchanged with the answer. */
	readonly id?: unknown;
	/** Who connects. Default: `app`. */
	readonly from: ActorName;
	/** The destination as the user named it, and its address. */
	readonly asked: string;
	readonly to: Endpoint;
	/** The family of a place; an address determines its own. Default: `ipv4`. */
	readonly family: AddressFamily;
	/** User and group of the sender. Default: as in `testbed run`; the group is that of the user. */
	readonly uid?: number | undefined;
	readonly gid?: number | undefined;
	readonly protocol: 'tcp' | 'udp';
	/** The sender's address and port. Default: chosen by the route and the kernel. */
	readonly source?: string | undefined;
	readonly sourcePort?: number | undefined;
	/** The mark of the sender's socket (SO_MARK). Default: none. */
	readonly mark?: number | undefined;
	/** The device that the sender's socket is bound to (SO_BINDTODEVICE). Default: none. */
	readonly bindDevice?: string | undefined;
	/** A packet that belongs to no connection, instead of the first packet of one. For packet classes only, not for users. */
	readonly packet?: 'invalid' | undefined;
};

/** A probe as the prober sends it, with all defaults resolved. `id` names it in messages. */
export type ProbeRequest = Omit<ProbeSpec, 'id' | 'from' | 'asked' | 'family' | 'uid' | 'gid'> & {
	readonly id: string;
	/** The namespace whose socket sends it. */
	readonly from: 'pod' | 'remote';
	/** The sender, as named in the leg; default: `from`. */
	readonly actor?: string;
	readonly uid: number;
	readonly gid: number;
};

/** A probe as a user writes it: a line of a batch, or an argument of the library. Only `to` is required. */
export type ProbeInput = Partial<Omit<ProbeSpec, 'id' | 'asked' | 'to' | 'protocol' | 'packet'>> & {
	/** `10.96.0.1:443`, `[2001:db8::1]:443`, or a place of the default topology: `remote:8080`, `pod:9090`, `vip:8080`. */
	readonly to: string;
	/** Default: `tcp`. */
	readonly proto?: ProbeSpec['protocol'];
};

/** The possible values of a field. */
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
	/** The default. */
	readonly standard?: string;
	/** The option of `testbed probe`: the placeholder for its value in the help, and its description. A field without one is for batch lines only. */
	readonly option?: {readonly value: string; readonly help: string};
	/** The socket option that passes it to the kernel, as messages name it. Its setter is in `testbed/syscalls/probe-socket.ts`. Such a probe is sent by the prober, because actors open plain sockets. */
	readonly socketOption?: string;
	/** What a report prints before the value: `mark 0x539`. Null for a field that reports show elsewhere, or not at all. */
	readonly label: string | null;
};

const wholeNumber = (max: number): FieldValues => ({kind: 'number', max});
const text = (pattern: RegExp, mustBe: string): FieldValues => ({kind: 'text', pattern, mustBe});

/** Largest UID and GID that a process can have: the next one means "no change" to the kernel (setresuid(2)). */
export const idMax = 0xFF_FF_FF_FE;

/** All fields, in the order of the help, of JSON and of printed commands. */
export const probeFields = {
	id: {values: {kind: 'anything'}, label: null},
	from: {values: {kind: 'choice', choices: senders}, standard: 'app', option: {value: 'actor', help: 'the actor that connects'}, label: null},
	to: {values: text(/./u, 'ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT'), option: {value: 'destination', help: 'ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT'}, label: null},
	family: {values: {kind: 'choice', choices: addressFamilies}, option: {value: 'name', help: 'IP family of a place name; an address determines its own (default: ipv4)'}, label: null},
	uid: {values: wholeNumber(idMax), option: {value: 'n', help: 'user of the sender (default: as in run)'}, label: null},
	gid: {values: wholeNumber(idMax), option: {value: 'n', help: 'group of the sender (default: the same number as its user)'}, label: null},
	protocol: {
		key: 'proto', values: {kind: 'choice', choices: ['tcp', 'udp']}, standard: 'tcp', option: {value: 'name', help: 'protocol of the first packet'}, label: null,
	},
	source: {values: text(/./u, 'an address'), option: {value: 'address', help: 'the sender\'s own address to connect from (default: the route decides)'}, label: 'from'},
	sourcePort: {values: wholeNumber(65_535), label: null},
	mark: {
		values: {kind: 'number', max: 0xFF_FF_FF_FF, isHexadecimal: true},
		option: {value: 'n', help: 'mark of the sender\'s socket: 1337 or 0x539 (default: none)'},
		socketOption: 'SO_MARK',
		label: 'mark',
	},
	bindDevice: {
		values: {kind: 'choice', choices: devices},
		option: {value: 'name', help: 'device that the sender\'s socket is bound to (default: none)'},
		socketOption: 'SO_BINDTODEVICE',
		label: 'bound to',
	},
} as const satisfies Readonly<Record<keyof Omit<ProbeSpec, 'asked' | 'packet'>, ProbeField>>;

/** The name of a field in a {@link ProbeSpec}. */
export type FieldName = keyof typeof probeFields;

/** The fields that the kernel receives through a socket option. */
type SocketOptionField = {[Name in FieldName]: typeof probeFields[Name] extends {readonly socketOption: string} ? Name : never}[FieldName];

/** The socket options of probes: each needs a setter. */
export type SocketOption = {[Name in SocketOptionField]: typeof probeFields[Name]['socketOption']}[SocketOptionField];

/** All fields as a list, each with its name and its key. */
export const fieldList: ReadonlyArray<ProbeField & {readonly name: FieldName; readonly key: string}> = (Object.entries(probeFields) as ReadonlyArray<readonly [FieldName, ProbeField]>)
	.map(([name, field]) => ({...field, name, key: field.key ?? name}));

/** The fields with a socket option, in the order in which the options are set. */
export const socketOptionFields = fieldList.flatMap(({name, socketOption, values}) => socketOption === undefined ? [] : [{name: name as SocketOptionField, step: socketOption as SocketOption, isText: values.kind !== 'number'}]);

/** The keys of a line, for messages. */
export const probeKeys: readonly string[] = fieldList.map(({key}) => key);

/** Whether the probe needs something that an actor's socket cannot do, so that the prober must send it. */
export function needsProber(probe: Readonly<Partial<Pick<ProbeSpec, SocketOptionField>>>): boolean {
	return socketOptionFields.some(({name}) => probe[name] !== undefined);
}

/** The option of a key: `bindDevice` → `--bind-device`. */
export function optionOf(key: string): string {
	return `--${key.replaceAll(/[A-Z]/gu, letter => `-${letter.toLowerCase()}`)}`;
}

/** The requirement that a value violates: "a whole number from 0 to 65535". Undefined for a valid value. */
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

/** A word of the command line as the value of a field, not validated yet: a number if one is expected, decimal or hexadecimal if the field allows it. */
export function valueOfWord({values}: Pick<ProbeField, 'values'>, word: string): unknown {
	if (values.kind !== 'number') {
		return word;
	}

	return /^\d+$/u.test(word) || (values.isHexadecimal === true && /^0x[\da-f]{1,8}$/iu.test(word)) ? Number(word) : word;
}
