/**
What a bug report says about a machine: versions, and variables of a fixed list.
*/

import {readFileSync} from 'node:fs';
import {arch, release} from 'node:os';
import process from 'node:process';
import type {BugReport} from '../../../src/report/bug-report-schema.js';
import {factsOf} from '../../../src/netfilter/backends.js';
import {backends} from '../../../src/netfilter/types.js';
import {otherProxies, programVariableOf} from '../../actors/proxy.js';
import {run} from '../../system/exec.js';
import {version} from '../version.js';

/** Variables that change what the testbed does or prints. `TESTBED_*` are those of options, which `settings` has. */
const allowedVariables: readonly string[] = [
	'CI', 'COLUMNS', 'CRI_CONFIG_FILE', 'CONTAINER_RUNTIME_ENDPOINT', 'FORCE_COLOR', 'GITHUB_ACTIONS', 'GITLAB_CI', 'LANG', 'LC_ALL', 'NO_COLOR', 'NODE_OPTIONS', 'SHELL', 'TERM',
	'TESTBED_CONFIG', 'TESTBED_DEBUG', 'TMPDIR',
	...otherProxies.map(name => programVariableOf(name)),
];

/** The variables of the list that are set. */
export function variablesOf(environment: Readonly<Record<string, string | undefined>>): BugReport['variables'] {
	return Object.fromEntries(allowedVariables.flatMap(name => environment[name] === undefined ? [] : [[name, environment[name]] as const]));
}

/** The versions of everything that a result depends on. */
export async function aboutMachine(): Promise<BugReport['about']> {
	const programs = [...new Set([...backends.map(backend => factsOf(backend).iptablesProgram), 'iptables', 'nft'])];
	const tools = await Promise.all([
		...programs.map(async program => [program, await versionOf(program, ['--version'])] as const),
		(async () => ['ip', await versionOf('ip', ['-Version'])] as const)(),
	]);
	const {header} = process.report.getReport() as {readonly header: {readonly glibcVersionRuntime?: string}};
	return {
		testbed: version,
		node: process.versions.node,
		kernel: release(),
		architecture: arch(),
		libc: header.glibcVersionRuntime ?? null,
		distribution: distributionOf('/etc/os-release'),
		isRoot: process.getuid?.() === 0,
		tools: Object.fromEntries(tools),
	};
}

async function versionOf(program: string, given: readonly string[]): Promise<string | null> {
	try {
		return await run(program, given);
	} catch {
		return null;
	}
}

/** The distribution by its file (os-release(5)); null if there is none. */
export function distributionOf(file: string): BugReport['about']['distribution'] {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch {
		return null;
	}

	const values = new Map([...text.matchAll(/^(?<key>[A-Z_]+)=(?<value>.*)$/gmu)].map(({groups}) => [groups!['key']!, groups!['value']!.replaceAll(/^["']|["']$/gu, '')]));
	return {id: values.get('ID') ?? '', version: values.get('VERSION_ID') ?? '', name: values.get('PRETTY_NAME') ?? ''};
}
