/**
`testbed serve`: a page for a workshop, served until somebody ends it.
*/

import {languageOf} from '../../../src/netfilter/backends.js';
import {printTexts} from '../../../src/netfilter/rule-texts.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {visibleText} from '../../../src/parsing/visible-text.js';
import type {RulesChoice} from '../../../src/workshop/protocol.js';
import {familiesOfDump} from '../../inputs/dump.js';
import {defaultInput, readSource} from '../../inputs/request.js';
import {usualFamilies, type UsualFamilies} from '../../inputs/usual-families.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {
	fullSource, isDump, kindOfSource, liveNameOf,
} from '../../inputs/source.js';
import type {ChosenRules} from '../../serve/chosen-rules.js';
import {WorkshopServer, type Urls} from '../../serve/server.js';
import {tell, writeOut} from '../../system/streams.js';
import {untilSignal} from '../signals.js';
import type {RunFlags} from './run.js';

/** The options as the command line gives them. */
export type ServeFlags = Pick<RunFlags, 'rules6' | 'dnsServers' | 'allowModules' | 'cni' | 'release' | 'proxyUid' | 'proxyGid' | 'timeout' | 'traceBuffer'> & {
	readonly backend?: Backend;
	readonly family: AddressFamily;
	readonly port: number;
	readonly listen?: string;
	/** In minutes. */
	readonly idle: number;
};

/**
Serves until a signal or the idle end; returns the exit status.

@throws {TestbedError} USAGE or INPUT for the rules, the port or the address; INTERRUPTED; all that a run throws.
*/
export async function serveCommand(source: string | undefined, flags: ServeFlags): Promise<number> {
	const chosen = loadChosen(source ?? defaultInput, flags);
	const {families} = chosen;
	return untilSignal(async signal => {
		await using server = await WorkshopServer.start({
			...flags,
			choice: choiceOf(chosen),
			chosen,
			family: families.includes(flags.family) ? flags.family : families[0]!,
			allowModules: flags.allowModules === true,
			dnsServers: flags.dnsServers,
			listen: flags.listen,
			idleMs: flags.idle * 60_000,
			timeoutMs: flags.timeout,
			traceBufferBytes: flags.traceBuffer,
			signal,
		});
		await writeOut(printUrls(server.urls));
		// The page is there while the first packets are on their way; what they lack is no surprise to whoever waits in the shell.
		await server.session.begin();
		await Promise.race([server.idle, ended(signal)]);
		if (!signal.aborted) {
			tell(`testbed: Nobody has used the page for ${flags.idle} minutes. The server and its sandbox are gone.\n`);
		}

		return 0;
	});
}

async function ended(signal: AbortSignal): Promise<void> {
	return new Promise(resolve => {
		if (signal.aborted) {
			resolve();
		}

		signal.addEventListener('abort', () => {
			resolve();
		}, {once: true});
	});
}

function printUrls({act, watch}: Urls): string {
	return [
		`Open this page: ${act}`,
		...(watch === undefined ? [] : [`To watch:       ${watch}`, 'Both are plain HTTP: whoever shares the network can read what is shown, and watch as well.']),
		'Ctrl-C ends the server and its sandbox.',
		'',
	].join('\n');
}

function loadChosen(given: string, {rules6, backend, dnsServers, cni, release, allowModules}: ServeFlags): ChosenRules {
	const {source} = fullSource(given);
	const {text, live, clusterPod, families} = familiesOf(source, rules6);
	return {
		rules: loadRuleInput({
			source, text, live, clusterPod, source6: rules6, families, dnsServers, cni, release, allowModules, options: {rules: 'the rules', rules6: '--rules6'}, ...(backend === undefined ? {} : {backend}),
		}),
		families,
	};
}

/** The text of a dump and what was read of a live pod, each read once, and the families that it has; both for all other rules. */
function familiesOf(source: string, rules6: string | undefined): UsualFamilies {
	if (liveNameOf(source) !== undefined) {
		return usualFamilies({source});
	}

	const text = isDump(source) ? readSource(source, 'the rules') : undefined;
	return {text, families: text === undefined || rules6 !== undefined ? ['ipv4', 'ipv6'] : familiesOfDump(text) ?? ['ipv4']};
}

/** The same rules as a page can name them: generated ones by their name, all others by their text. */
function choiceOf({rules: {source, backend, ruleSet}, families}: ChosenRules): RulesChoice {
	const kind = kindOfSource(source);
	return kind === 'release' || kind === 'ambient'
		? {kind: 'generated', input: source, backend}
		: {
			kind: 'text', name: visibleText(source.replace(/^.*\//u, '')).slice(0, 80), text: printTexts(languageOf(backend), ruleSet, families).map(({text}) => text).join(''), backend,
		};
}
