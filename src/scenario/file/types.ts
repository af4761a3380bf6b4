/**
A user's scenario file after parsing: names are not resolved to addresses yet, and every text knows its place for errors.
*/

import type {Text} from '../../parsing/document.js';
import type {PublishedTypeId} from '../../mesh/published.js';
import type {Role} from '../../mesh/roles.js';
import type {AddressFamily, Backend} from '../../netfilter/types.js';
import type {AddressPair} from '../../mesh/topology.js';
import type {PodInterface} from '../topology-extension.js';
import type {ExpectationData} from './schema.js';

/** `pod:8080`, `10.0.0.1:80`: a place by name or address, with its port. */
export type Target = Text & {readonly host: string; readonly port: number};

/** One address, or one per family. */
export type Addresses = Readonly<Partial<AddressPair>>;

/** A listener of an actor. `outbound` and `inbound` are the proxy's two, and `tunnel` is that of the mesh's own tunnel; the rules determine their ports. */
export type ListenerClaim =
	| {readonly kind: 'outbound' | 'inbound' | 'tunnel'; readonly at: string}
	| {readonly kind: 'port'; readonly protocol: 'tcp' | 'udp'; readonly port: number; readonly forward: Target | undefined; readonly at: string};

/** A file's changes to an actor; anything else is as in the default topology. */
export type ActorClaim = {
	readonly name: string;
	readonly at: string;
	readonly uid: number | undefined;
	readonly gid: number | undefined;
	readonly namespace: Text | undefined;
	readonly listens: readonly ListenerClaim[] | undefined;
	readonly source: Text | undefined;
};

/** A service: its address, its port, and the endpoint to which the proxy forwards its connections. */
export type ServiceClaim = {readonly name: string; readonly at: string; readonly addresses: Addresses; readonly port: number; readonly endpoint: Target};

/** How a probe can end. */
export type ClaimedOutcome = NonNullable<ExpectationData['outcome']>;

/** What is expected of a probe. `roles` and `path` are compared only if they are given. */
export type Claim = {
	readonly at: string;
	readonly stops: readonly Text[];
	readonly outcome: ClaimedOutcome;
	readonly roles: ReadonlyArray<readonly Role[]> | undefined;
	readonly path: readonly string[] | undefined;
	readonly sources: readonly Text[] | undefined;
	readonly zones: readonly number[] | undefined;
};

/** One probe. */
export type ProbeClaim = {
	readonly name: string;
	readonly at: string;
	/** The line in which its text begins. */
	readonly line: number;
	readonly from: Text;
	readonly to: Target;
	readonly protocol: 'tcp' | 'udp';
	/** Present if one packet is sent that conntrack considers invalid: the place of the word. */
	readonly invalid: Text | undefined;
	readonly source: Text | undefined;
	readonly bindDevice: Text | undefined;
	readonly article: PublishedTypeId | null;
	readonly families: readonly AddressFamily[] | undefined;
	readonly expect: Claim;
	readonly fault: {readonly because: string; readonly claim: Claim} | undefined;
};

/** The part of a file that says which runs it asks for. */
export type ScenarioHead = Pick<ScenarioFile, 'name' | 'backends'> & {readonly rules: Pick<Text, 'value'>; readonly insert: ReadonlyArray<Pick<Text, 'value'>>};

/** The whole file. */
export type ScenarioFile = {
	readonly name: string;
	readonly about: string;
	/** A rule input, or `none`. */
	readonly rules: Text;
	/** Rules to insert into those of the input, as iptables arguments. */
	readonly insert: readonly Text[];
	/** If undefined, all families of the input. */
	readonly backends: readonly Backend[] | undefined;
	readonly families: readonly AddressFamily[];
	readonly actors: readonly ActorClaim[];
	readonly places: ReadonlyArray<{readonly name: string; readonly at: string; readonly addresses: Addresses}>;
	readonly services: readonly ServiceClaim[];
	/** Additional addresses of the pod on eth0, in the order in which they are added. */
	readonly furtherAddresses: readonly string[];
	readonly interfaces: readonly PodInterface[];
	/** What is removed from the pod. */
	readonly without: readonly Text[];
	readonly probes: readonly ProbeClaim[];
};
