/**
A network namespace held by a descriptor: no name, no mount, so nothing of it outlives the run.
*/

import process from 'node:process';
import {fstatSync, writeFileSync} from 'node:fs';
import {run, type RunOptions} from '../system/exec.js';
import {prepareConfinement, runConfined, type ConfinedRunOptions} from '../confinement/run-confined.js';
import {
	closeDescriptor, createNetns, inNetns, interfaceIndex,
} from '../syscalls/netns.js';

/** One namespace. Its owner disposes of it. */
export class Netns implements AsyncDisposable {
	/** A new one. `interfaceNames` are those that it will have. */
	static create(label: string, interfaceNames: readonly string[] = ['lo', 'eth0']): Netns {
		// Who makes a namespace will put rules into it.
		prepareConfinement();
		return new Netns(label, createNetns(), interfaceNames);
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

	/** A path by which a confined tool that inherits the descriptor reaches it. */
	get pathInTool(): string {
		return `/proc/self/fd/${this.descriptor}`;
	}

	/** A path by which other processes reach it while it is held. */
	get path(): string {
		return `/proc/${process.pid}/fd/${this.descriptor}`;
	}

	/** The number of the namespace, as `readlink /proc/PID/ns/net` shows it. */
	get inode(): number {
		return fstatSync(this.descriptor).ino;
	}

	/** Runs one of the rule tools in it, behind the walls; see {@link runConfined}. For whatever is given text of a user. */
	async runConfined(file: string, arguments_: readonly string[], options: Omit<ConfinedRunOptions, 'netns'> = {}): Promise<string> {
		return runConfined(file, arguments_, {...options, netns: this.descriptor});
	}

	/** Runs a program in it that sees the whole machine. */
	async run(file: string, arguments_: readonly string[], options: Omit<RunOptions, 'netns'> = {}): Promise<string> {
		return run(file, arguments_, {...options, netns: this.descriptor});
	}

	/** Does something on this thread inside it; see {@link inNetns}. */
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

	/** Gives it a name that `ip netns` knows, so that it outlives the run. */
	async attach(name: string): Promise<void> {
		// The shell becomes `ip`, so that its own pid names the namespace in which it was born.
		await this.run('sh', ['-c', 'exec ip netns attach "$0" $$', name]);
	}

	/** Lets go of it. */
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
