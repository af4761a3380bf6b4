/**
One probe, as a user asks for it.
*/

import type {Endpoint} from '../../src/netfilter/path.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ActorName} from '../../src/scenario/types.js';

/** One probe of a batch. What is undefined is as in `run`, the route's or the kernel's choice. */
export type BatchQuestion = {
	/** Given back with the answer, as it is. */
	readonly id: unknown;
	readonly from: ActorName;
	/** The destination as the user named it, and what it is. */
	readonly asked: string;
	readonly to: Endpoint;
	readonly family: AddressFamily;
	readonly uid: number | undefined;
	readonly gid: number | undefined;
	readonly protocol: 'tcp' | 'udp';
	readonly source: string | undefined;
	readonly sourcePort: number | undefined;
	readonly device: string | undefined;
	readonly mark: number | undefined;
	/** One that belongs to no connection; the first of one otherwise. */
	readonly packet?: 'invalid';
};
