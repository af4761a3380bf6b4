/**
A report on several kernels in which each way of ending occurs.
*/

import type {KernelResult, KernelsReport} from '../../src/report/kernels/types.js';

const passed: KernelResult = {
	series: '6.1', package: 'linux-image-6.1.0-57-cloud-amd64', packageVersion: '6.1.192-3', release: '6.1.0-57-cloud-amd64', bootMs: 4321, durationMs: 24_680, exitStatus: 0,
	tally: {passed: 18, failed: 0, inconclusive: 0}, reasons: [], lacks: [], output: 'six types\n18 passed\n', errors: '',
};

/** The report. */
export const kernelsReport: KernelsReport = {
	command: ['run', '--backend', 'all'],
	accelerator: {name: 'tcg', because: 'with KVM, a kernel did not start within 8 s'},
	kernels: [
		passed,
		{
			...passed, series: '6.12', package: 'linux-image-6.12.118+deb13-cloud-amd64', packageVersion: '6.12.118-1', release: '6.12.118+deb13-cloud-amd64', exitStatus: 1, tally: {passed: 17, failed: 1, inconclusive: 0},
			reasons: ['The command ended with status 1: 17 passed, 1 failed, 0 inconclusive'],
		},
		{
			...passed, series: 'newest', package: 'linux-image-7.3.4+deb13-cloud-amd64', packageVersion: '7.3.4-1~bpo13+1', release: '7.3.4+deb13-cloud-amd64', exitStatus: 3, tally: {passed: 12, failed: 0, inconclusive: 6},
			reasons: ['The command ended with status 3: 12 passed, 0 failed, 6 inconclusive'],
			lacks: [{what: 'iptables-legacy, ipv4: table nat', needs: 'iptable_nat', fix: 'modprobe iptable_nat'}],
		},
		{
			...passed, series: '5.10', package: null, packageVersion: null, release: null, bootMs: null, durationMs: 0, exitStatus: null, tally: {passed: 0, failed: 0, inconclusive: 1},
			reasons: ['Debian\'s packages could not be fetched: Temporary failure resolving \'deb.debian.org\''], output: '',
		},
	],
	durationMs: 80_000,
};
