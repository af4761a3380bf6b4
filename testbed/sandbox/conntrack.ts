/**
Deletes the conntrack entries of a namespace by netlink (linux/netfilter/nfnetlink_conntrack.h). A known five-tuple is not a new connection, so it would skip the nat rules; probes therefore begin without entries.
*/

import {changeFlags, requestMessage} from '../../src/trace/decode/in-place.js';
import {TestbedError} from '../errors.js';
import {forRoot} from '../system/privileges.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {openNetfilterSocket} from '../syscalls/netlink-socket.js';
import type {Netns} from './netns.js';
import {change} from './netlink-change.js';

const deleteMessage = (1 << 8) | 2; // `NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE`; without a tuple it deletes all.

/** The conntrack table of one namespace. */
export class Conntrack implements Disposable {
	readonly #fd: number;

	constructor(netns: Netns) {
		this.#fd = netns.enter(() => openNetfilterSocket(65_536));
	}

	/**
	Deletes all connections of both families.

	@throws {TestbedError} MACHINE if the kernel cannot do it.
	*/
	flush(): void {
		const error = change(this.#fd, requestMessage(deleteMessage, 0, [], {flags: changeFlags}));
		if (error !== 0) {
			throw new TestbedError('MACHINE', {
				message: `The kernel did not delete its connections (${error === undefined ? 'no answer' : `error number ${error}`}).`,
				hint: forRoot('modprobe nf_conntrack_netlink (kernel option NF_CT_NETLINK)'),
			});
		}
	}

	[Symbol.dispose](): void {
		closeDescriptor(this.#fd);
	}
}
