/**
Checks of what every command needs, whatever the rules.
*/

import {run} from '../system/exec.js';
import {packageOf} from '../system/missing-program.js';
import {fixOf} from '../sandbox/kernel-samples.js';
import {sysctlSettings} from '../sandbox/sysctl-table.js';
import {setNeighborSysctls, setSysctls} from '../sandbox/sysctls.js';
import {commandLine} from '../system/program-name.js';
import type {Check} from './check.js';
import {scratch} from './scratch.js';

const shared = {group: 'the sandbox', use: 'everything'} as const;

/** Namespaces, links, sysctls, and the programs that every back end uses. */
export function generalChecks(): readonly Check[] {
	return [
		{
			...shared,
			what: 'network namespaces',
			needs: 'NET_NS, and root',
			fix: `sudo env "PATH=$PATH" ${commandLine('doctor')}`,
			async act() {
				await scratch(async () => undefined);
			},
		},
		{
			...shared,
			what: 'veth pairs',
			needs: 'veth',
			fix: fixOf('veth'),
			async act() {
				await scratch(async netns => netns.run('ip', ['link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1']));
			},
		},
		{
			...shared,
			what: 'IPv6 in a namespace',
			needs: 'ipv6',
			fix: 'Boot without ipv6.disable=1.',
			async act() {
				await scratch(async netns => {
					netns.setSysctl('net/ipv6/conf/all/disable_ipv6', '0');
					await netns.run('ip', ['addr', 'add', '::6/128', 'dev', 'lo']);
				});
			},
		},
		{
			...shared,
			what: 'sysctls of a namespace',
			needs: '/proc/sys/net, writable',
			fix: 'mount -o remount,rw /proc/sys   (containers often mount it read-only)',
			async act() {
				await scratch(async netns => {
					setSysctls(netns, sysctlSettings);
					setNeighborSysctls(netns);
				});
			},
		},
		...programChecks(),
	];
}

/** The programs that every back end uses. */
export function programChecks(): readonly Check[] {
	return (['ip', 'nft'] as const).map(program => ({
		...shared,
		what: `the program ${program}`,
		needs: `the package ${packageOf(program)}`,
		fix: `apt-get install -y ${packageOf(program)}`,
		async act() {
			await run(program, ['-V']);
		},
	}));
}
