/**
A network namespace held by a descriptor, without a name or a mount, so nothing of it outlives the run.
*/

import process from 'node:process';
import {
	existsSync, fstatSync, openSync, writeFileSync,
} from 'node:fs';
import {run, type RunOptions} from '../system/exec.js';
import {prepareConfinement, runConfined, type ConfinedRunOptions} from '../confinement/run-confined.js';
import {
	closeDescriptor, createNetns, inNetns, interfaceIndex,
} from '../syscalls/netns.js';

/**
How many buckets the table of TCP connections has in each namespace. By default all namespaces share that of the machine, with a quarter of a million buckets, and whoever lists the connections of one reads them all: 4 ms for `/proc/net/tcp` (measured, Linux 6.18) instead of 0.08 ms, several times in each round that ends lost connections.
*/
const connectionBuckets = 2048;
const bucketsFile = '/proc/sys/net/ipv4/tcp_child_ehash_entries';

/** The namespace from which all others are created; undefined if it makes no difference. */
let parent: {readonly netns: number | undefined} | undefined;

/** A new namespace gets the size of its table from the one that its creator is in (`tcp_set_hashinfo` in net/ipv4/tcp_ipv4.c), so an empty one is created for that, and nothing of the machine is changed. Kernels before 6.1 cannot do it; there, and where the sysctl cannot be written, a namespace shares the table of the machine. */
function createWithOwnTable(): number {
	parent ??= {netns: createParent()};
	return parent.netns === undefined ? createNetns() : inNetns(parent.netns, () => createNetns());
}

function createParent(): number | undefined {
	if (!existsSync(bucketsFile)) {
		return undefined;
	}

	const netns = createNetns();
	try {
		inNetns(netns, () => {
			writeFileSync(bucketsFile, String(connectionBuckets));
		});
		return netns;
	} catch {
		closeDescriptor(netns);
		return undefined;
	}
}

/** One namespace. The owner disposes of it. */
export class Netns implements AsyncDisposable {
	/** Creates a namespace. `interfaceNames` are the interfaces that it will have. */
	static create(label: string, interfaceNames: readonly string[] = ['lo', 'eth0']): Netns {
		// A new namespace will soon get rules.
		prepareConfinement();
		return new Netns(label, createWithOwnTable(), interfaceNames);
	}

	/** Opens a named namespace by its path: `/run/netns/NAME`. */
	static open(label: string, file: string): Netns {
		return new Netns(label, openSync(file, 'r'), []);
	}

	/** What it is for: `pod`, `remote`. */
	readonly label: string;
	readonly descriptor: number;
	readonly #interfaceNames: readonly string[];
	#open = true;

	private constructor(label: string, descriptor: number, interfaceNames: readonly string[]) {
		this.#interfaceNames = interfaceNames;
		this.label = label;
		this.descriptor = descriptor;
	}

	/** Its path for a confined tool that inherits the descriptor. */
	get pathInTool(): string {
		return `/proc/self/fd/${this.descriptor}`;
	}

	/** Its path for other processes, while it is open. */
	get path(): string {
		return `/proc/${process.pid}/fd/${this.descriptor}`;
	}

	/** Its inode number, as `readlink /proc/PID/ns/net` shows it. */
	get inode(): number {
		return fstatSync(this.descriptor).ino;
	}

	/** Runs a rule tool in it, confined; see {@link runConfined}. For every tool that gets text from users. */
	async runConfined(file: string, arguments_: readonly string[], options: Omit<ConfinedRunOptions, 'netns'> = {}): Promise<string> {
		return runConfined(file, arguments_, {...options, netns: this.descriptor});
	}

	/** Runs a program in it, unconfined. */
	async run(file: string, arguments_: readonly string[], options: Omit<RunOptions, 'netns'> = {}): Promise<string> {
		return run(file, arguments_, {...options, netns: this.descriptor});
	}

	/** Runs `act` on this thread inside it; see {@link inNetns}. */
	enter<T>(act: () => T): T {
		return inNetns(this.descriptor, act);
	}

	/** Sets one of its sysctls: `net/ipv4/ip_forward`. */
	setSysctl(name: string, value: string): void {
		this.enter(() => {
			writeFileSync(`/proc/sys/${name}`, value);
		});
	}

	/** Indices and names of its interfaces. */
	interfaces(): ReadonlyMap<number, string> {
		return this.enter(() => new Map(this.#interfaceNames.map(name => [interfaceIndex(name), name] as const)));
	}

	/** Names it for `ip netns`, so that it outlives the run. */
	async attach(name: string): Promise<void> {
		// The shell execs `ip`, so that its own PID refers to the namespace it was started in.
		await this.run('sh', ['-c', 'exec ip netns attach "$0" $$', name]);
	}

	/** Closes the descriptor. */
	close(): void {
		if (this.#open) {
			this.#open = false;
			closeDescriptor(this.descriptor);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.close();
	}
}
