/**
`testbed run`: the six types.
*/

import process from 'node:process';
import {writeFileSync} from 'node:fs';
import {exitCode} from '../../src/report/exit-code.js';
import {reportToJson} from '../../src/report/json.js';
import {printTap} from '../../src/report/tap.js';
import {printText} from '../../src/report/text.js';
import type {Report} from '../../src/report/types.js';
import {defaultTypeIds} from '../../src/scenario/six-types.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {ActorCredentials, TypeId} from '../../src/scenario/types.js';
import {TestbedError} from '../errors.js';
import {defaultInput, loadRuleInput} from '../rule-input.js';
import {interrupted, runTestbed} from '../run.js';
import type {Format} from './arguments.js';
import {wantsColour} from './colour.js';
import {Progress} from './progress.js';

export {wantsColour} from './colour.js';

/** The options as the command line gives them. */
export type RunFlags = {
	readonly rules?: string;
	readonly rules6?: string;
	readonly backend: Backend;
	readonly family: readonly AddressFamily[];
	readonly types?: readonly TypeId[];
	readonly proxyUid: number;
	readonly proxyGid?: number;
	readonly agentUid?: number;
	readonly agentGid?: number;
	readonly appUid: number;
	readonly appGid?: number;
	readonly format: Format;
	readonly output?: string;
	readonly verbose?: boolean;
	readonly keep?: boolean;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/** A group that is not given follows the user, as in istio-iptables; the agent runs in the proxy's container, as its user, unless somebody says otherwise. */
export function credentialsOf({proxyUid, proxyGid, agentUid, agentGid, appUid, appGid}: Pick<RunFlags, 'proxyUid' | 'proxyGid' | 'agentUid' | 'agentGid' | 'appUid' | 'appGid'>): ActorCredentials {
	const root = {uid: 0, gid: 0};
	const proxy = {uid: proxyUid, gid: proxyGid ?? proxyUid};
	return {
		proxy,
		agent: {uid: agentUid ?? proxy.uid, gid: agentGid ?? agentUid ?? proxy.gid},
		app: {uid: appUid, gid: appGid ?? appUid},
		remote: root,
		istiod: root,
		prometheus: root,
	};
}

function print(report: Report, flags: RunFlags): string {
	switch (flags.format) {
		case 'json': {
			return `${JSON.stringify(reportToJson(report), undefined, 2)}\n`;
		}

		case 'tap': {
			return printTap(report);
		}

		case 'text': {
			const toTerminal = flags.output === undefined && process.stdout.isTTY;
			return printText(report, {
				colour: wantsColour({isTerminal: toTerminal, environment: process.env}),
				verbose: flags.verbose === true,
				width: Math.max(60, Math.min(process.stdout.columns ?? 80, 100)),
			});
		}
	}
}

/** Runs and prints; returns the exit status. */
export async function runCommand(flags: RunFlags): Promise<number> {
	const rules = loadRuleInput({
		source: flags.rules ?? defaultInput, source6: flags.rules6, families: flags.family, backend: flags.backend,
	});
	const controller = new AbortController();
	const onSignal = (signal: NodeJS.Signals): void => {
		controller.abort(interrupted(signal));
	};

	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	for (const signal of signals) {
		process.on(signal, onSignal);
	}

	using progress = new Progress(text => {
		process.stderr.write(text);
	});
	try {
		const {report, kept} = await runTestbed({
			rules,
			backend: flags.backend,
			families: flags.family,
			types: flags.types ?? defaultTypeIds,
			credentials: credentialsOf(flags),
			timeoutMs: flags.timeout,
			traceBufferBytes: flags.traceBuffer,
			keep: flags.keep === true,
			signal: controller.signal,
			onStage(stage) {
				progress.stage(stage);
			},
		});
		await write(print(report, flags), flags.output);
		if (kept.length > 0) {
			process.stderr.write(`${kept.join('\n')}\n`);
		}

		return exitCode(report);
	} finally {
		for (const signal of signals) {
			process.off(signal, onSignal);
		}
	}
}

async function write(text: string, file: string | undefined): Promise<void> {
	if (file === undefined) {
		await new Promise<void>(resolve => {
			process.stdout.write(text, () => {
				resolve();
			});
		});
		return;
	}

	try {
		writeFileSync(file, text);
	} catch (error) {
		throw new TestbedError('INPUT', {message: `The report cannot be written to ${file}: ${(error as Error).message}`, state: 'The run itself had ended.', cause: error});
	}
}
