/**
An Envoy as the process of an actor: started in its namespace as its user, asked for everything that it did, ended. It never outlives this process.
*/

import {closeSync, openSync} from 'node:fs';
import process from 'node:process';
import {setTimeout} from 'node:timers/promises';
import {TestbedError} from '../../errors.js';
import {startProgram, type ReadProcess} from '../../system/exec.js';
import type {ActorSpec} from '../protocol.js';
import type {
	ListeningProcess, ProcessEvents, ProcessPlace, Proxy,
} from '../proxy.js';
import {AccessLog} from './access-log.js';
import {askAccepted, askStarted} from './admin.js';
import {bootstrapOf, filesMax, unsupportedIn} from './bootstrap.js';
import {findEnvoy, type EnvoyProgram} from './find.js';
import {readSockets, type UserSockets} from './socket-states.js';
import {areAllAsleep} from './thread-states.js';

/** How long it may take until it takes connections. It takes 0.1 to 0.4 s, and a multiple of that on a busy machine. */
const readyMsMax = 20_000;
/** How long it may take, beyond its own limit for connections, until it has reported everything. */
const reportMsMax = 5000;
/** Between two looks at the kernel's tables, which nothing announces. */
const pollMs = 5;

/** Of what it prints when it ends, so much is quoted. */
const quotedMax = 600;

/**
What runs between this process and Envoy: limits its files, and ends if this process has ended before the kernel was told to end it then. The program is descriptor 3, because its user may not enter the program's folder.
*/
const script = `ulimit -n ${filesMax} && [ "$PPID" = "$0" ] && exec /proc/self/fd/3 "$@"`;

/** The words by which a process becomes the user. Each capability but the one that a transparent proxy needs is given up. The death of the parent is asked for last, because a change of user makes the kernel forget it (prctl(2), PR_SET_PDEATHSIG); setpriv does so. */
function credentialsOf({uid, gid, transparent}: Pick<ActorSpec, 'uid' | 'gid' | 'transparent'>): readonly string[] {
	const kept = transparent === undefined ? '-all' : '-all,+net_admin';
	return [
		`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups',
		`--bounding-set=${kept}`, `--inh-caps=${kept}`, `--ambient-caps=${kept}`,
		'--no-new-privs', '--pdeathsig=KILL',
	];
}

/** What tests can do to its access log: the lines that are read in place of one. */
export type LogDamage = (line: string) => readonly string[];

/** What tests can change: the access log, the configuration, and how long it may take until it takes connections. */
export type EnvoyFaults = {readonly damage?: LogDamage; readonly reconfigure?: (bootstrap: ReturnType<typeof bootstrapOf>) => ReturnType<typeof bootstrapOf>; readonly readyMs?: number};

/** A running Envoy. */
class EnvoyProcess implements ListeningProcess {
	static async start({netns, spec, configured}: ProcessPlace, events: ProcessEvents, {file, faults}: EnvoyProgram & {readonly faults: EnvoyFaults}): Promise<EnvoyProcess> {
		const {damage, reconfigure = same => same, readyMs = readyMsMax} = faults;
		const unsupported = unsupportedIn(spec);
		if (unsupported !== undefined) {
			throw new TestbedError('ACTOR_FAILED', {message: unsupported, hint: 'Leave out --proxy envoy: the stub can do it.'});
		}

		const [result] = await configured ?? [undefined];
		if (result?.status === 'rejected') {
			// What kept the namespace from its addresses is the reason, not that they are missing.
			throw result.reason as Error;
		}

		const started = new EnvoyProcess({netns, spec}, events, damage);
		const program = openSync(file, 'r');
		try {
			started.#process = await startProgram('setpriv', [
				...credentialsOf(spec), '--', 'sh', '-c', script, String(process.pid),
				'--concurrency', '1', '--disable-hot-restart', '--file-flush-interval-msec', '10', '--log-level', 'error', '--config-yaml', JSON.stringify(reconfigure(bootstrapOf(spec))),
			], {
				netns: netns.descriptor,
				inherited: [program],
				onOutput(text) {
					started.#read(text);
				},
			});
		} finally {
			closeSync(program);
		}

		void started.#watch();
		try {
			await started.#untilReady(readyMs);
			return started;
		} catch (error) {
			await started[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly #place: Omit<ProcessPlace, 'configured'>;
	readonly #events: ProcessEvents;
	readonly #log: AccessLog;
	readonly #damage: LogDamage;
	#process: ReadProcess | undefined;
	/** The beginning of a line whose end has not come yet. */
	#rest = '';
	#ended: string | undefined;
	#isDisposed = false;

	private constructor(place: Omit<ProcessPlace, 'configured'>, events: ProcessEvents, damage: LogDamage = line => [line]) {
		this.#place = place;
		this.#damage = damage;
		this.#events = events;
		this.#log = new AccessLog(place.spec, events);
	}

	get pid(): number {
		return this.#process?.pid ?? 0;
	}

	/**
	Envoy gives up a connection only at its own limit, so this waits until none of its sockets waits for an answer to a first packet. A connection that it has just accepted is counted once its thread sleeps again. Then this waits until the log tells of each connection that Envoy counted: the log is written a little later than things happen.
	*/
	async flush(): Promise<void> {
		const {netns, spec: {name, uid, gid, timeoutMs}} = this.#place;
		const limit = performance.now() + timeoutMs + reportMsMax;
		let accepted: number | undefined;
		let sockets: UserSockets | undefined;
		let isBusy = false;
		/* eslint-disable no-await-in-loop -- One look after the other, until there is nothing left to wait for. */
		while (this.#ended === undefined) {
			sockets = this.#sockets();
			const isQuiet = sockets?.connecting === 0 && sockets.waiting === 0;
			isBusy = isQuiet && !areAllAsleep(this.pid);
			if (isQuiet && !isBusy) {
				accepted = await askAccepted(netns, reportMsMax);
				if (accepted === this.#log.connections) {
					break;
				}
			}

			if (performance.now() > limit) {
				this.#events.onTrouble(`Envoy, which is ${name}, ${lackOf({
					accepted, sockets, isBusy, reported: this.#log.connections,
				})}.`);
				break;
			}

			await setTimeout(pollMs);
		}
		/* eslint-enable no-await-in-loop */

		this.#log.finish();
		this.#events.onRecord({
			kind: 'watched', id: `${name}-user`, actor: name, uid, gid,
		});
	}

	kill(): void {
		this.#process?.kill();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#isDisposed = true;
		this.#process?.kill();
		await this.#process?.ended;
	}

	/** The sockets of its user, by the kernel; undefined when the process is gone. */
	#sockets(): UserSockets | undefined {
		try {
			return readSockets(this.pid, this.#place.spec.uid);
		} catch (error) {
			if (error instanceof RangeError) {
				this.#events.onTrouble(`${this.#place.spec.name}: ${error.message}`);
			}

			return undefined;
		}
	}

	async #untilReady(limitMs: number): Promise<void> {
		const {netns, spec: {name, uid, gid, listeners}} = this.#place;
		const wanted = listeners.flatMap(({port}) => [`ipv4 ${port}`, `ipv6 ${port}`]);
		const limit = performance.now() + limitMs;
		for (;;) {
			const listening = this.#sockets()?.listening;
			const missing = wanted.filter(port => listening?.has(port) !== true);
			/* eslint-disable no-await-in-loop -- Until it listens, and then until its workers take connections. */
			if (this.#ended === undefined && missing.length === 0 && await askStarted(netns, reportMsMax)) {
				return;
			}

			if (this.#ended !== undefined || performance.now() > limit) {
				const lacking = missing.length === 0 ? 'listens, but takes no connections' : `does not listen on ${missing.join(', ')}`;
				throw new TestbedError('ACTOR_FAILED', {message: `${name} could not start as uid ${uid} gid ${gid}: ${this.#ended ?? `Envoy ${lacking} after ${limitMs / 1000} s.`}`});
			}

			await setTimeout(pollMs);
			/* eslint-enable no-await-in-loop */
		}
	}

	#read(text: string): void {
		const lines = (this.#rest + text).split('\n');
		this.#rest = lines.pop()!;
		for (const line of lines.flatMap(line => this.#damage(line))) {
			this.#log.take(line);
		}
	}

	async #watch(): Promise<void> {
		const {exitCode, signal, stderr} = await this.#process!.ended;
		const how = signal === null ? `with status ${exitCode}` : `by ${signal}`;
		const said = stderr.trim();
		this.#ended = `The process of ${this.#place.spec.name} (pid ${this.pid}) ended ${how}.${said === '' ? '' : ` ${said.slice(-quotedMax)}`}`;
		if (!this.#isDisposed) {
			this.#events.onEnd(this.#ended);
		}
	}
}

/** What is still missing when the limit is over, as the rest of a sentence about Envoy. `accepted` is what it said last, undefined if it never did; `isBusy`: at the end, some thread of it did not sleep. */
export function lackOf({accepted, sockets, isBusy, reported}: {
	readonly accepted: number | undefined; readonly sockets: UserSockets | undefined; readonly isBusy: boolean; readonly reported: number;
}): string {
	if (sockets === undefined || sockets.connecting > 0 || sockets.waiting > 0) {
		return `still has ${sockets?.connecting ?? 'an unknown number of'} first packets without an answer, and ${sockets?.waiting ?? 'an unknown number of'} connections to accept`;
	}

	if (accepted !== undefined) {
		return `accepted ${accepted} connections, and its access log tells of ${reported}`;
	}

	return isBusy ? 'is still busy, so it may have accepted connections that it has not counted yet' : 'does not say how many connections it accepted';
}

/**
The Envoy on this machine as a proxy.

@param given The file, where a user names one.
@param faults For tests of what a run says of an Envoy that cannot be trusted.
@throws {TestbedError} as {@link findEnvoy} does.
*/
export async function envoyProxy(given?: string, faults: EnvoyFaults = {}): Promise<Proxy> {
	const program = await findEnvoy(given);
	return {
		name: 'envoy',
		version: program.version,
		start: async (place, events) => EnvoyProcess.start(place, events, {...program, faults}),
	};
}
