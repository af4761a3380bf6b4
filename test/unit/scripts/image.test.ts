/** The image: its options, its rights as the page names them, and the seccomp profile that the matrix runs it with. */

import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {root} from './_setup.js';

type Rule = {names: readonly string[]; action: string; args?: readonly object[]; includes?: object; excludes?: object};
type Config = {
	process: {args: readonly string[]; capabilities: Readonly<Record<string, readonly string[]>>; noNewPrivileges: boolean};
	mounts: ReadonlyArray<{destination: string; source: string}>; linux: {namespaces: ReadonlyArray<{type: string}>; readonlyPaths: readonly string[]};
};

const {parseArguments} = await import(path.join(root, 'scripts/image.mjs')) as {parseArguments: (argv: readonly string[]) => {output: string; suite: string}};
const {leastCapabilities, seccompFor, configOf} = await import(path.join(root, 'scripts/matrix/image/container.mjs')) as {
	leastCapabilities: readonly string[];
	seccompFor: (profile: {defaultAction: string; syscalls: readonly Rule[]}, capabilities: readonly string[], arch: string) => {syscalls: readonly Rule[]; architectures: readonly string[]};
	configOf: (options: {given: readonly string[]; capabilities: readonly string[]; work: string; profile: object; isProcSysReadOnly?: boolean}) => Config;
};
const {judgeWithout} = await import(path.join(root, 'scripts/matrix/cells/image.mjs')) as {judgeWithout: (seen: {status: number; text: string}) => string | undefined};
const page = fs.readFileSync(path.join(root, 'docs/install.md'), 'utf8');

test('options', t => {
	t.deepEqual(parseArguments([]), {output: 'testbed-image.tar', suite: 'trixie'});
	t.deepEqual(parseArguments(['--suite', 'bookworm', '--output', 'x.tar']), {output: 'x.tar', suite: 'bookworm'});
	for (const [argv, message] of [[['--nope'], /no option "--nope"/u], [['--output'], /--output needs a value/u], [['--suite', 'a; b'], /not the name of a Debian release/u]] as const) {
		t.throws(() => parseArguments(argv), {message});
	}
});

test('docs/install.md names the capabilities that are tried, each with its purpose', t => {
	const command = /--cap-add (?<list>[\w,]+)/u.exec(page)?.groups?.['list'];
	t.deepEqual(command?.toUpperCase().split(','), [...leastCapabilities]);
	const [, table = ''] = page.split('| capability | for |');
	const named = [...table.split('\n\n')[0]!.matchAll(/`(?<name>[A-Z_]+)`/gu)].map(({groups}) => groups!['name']!);
	t.deepEqual(named.toSorted(), [...leastCapabilities].toSorted());
});

test('the Containerfile starts from nothing and starts the testbed', t => {
	const text = fs.readFileSync(path.join(root, 'Containerfile'), 'utf8');
	t.regex(text, /^FROM scratch$/mu);
	t.regex(text, /^ENTRYPOINT \["testbed"\]\nCMD \["run"\]$/mu);
	t.notRegex(text, /^RUN /mu);
});

const profile = {
	defaultAction: 'SCMP_ACT_ERRNO',
	syscalls: [
		{names: ['read'], action: 'SCMP_ACT_ALLOW', args: []},
		{names: ['mount'], action: 'SCMP_ACT_ALLOW', includes: {caps: ['CAP_SYS_ADMIN']}},
		{names: ['mount'], action: 'SCMP_ACT_ERRNO', excludes: {caps: ['CAP_SYS_ADMIN']}, errnoRet: 1},
		{names: ['arm_fadvise64_64'], action: 'SCMP_ACT_ALLOW', includes: {arches: ['arm', 'arm64']}},
	],
};

test('a profile\'s rules hold by capability and architecture', t => {
	const allowed = (capabilities: readonly string[], arch: string): ReadonlyArray<readonly [string, string]> => {
		const {syscalls} = seccompFor(profile, capabilities, arch);
		return syscalls.map(({names, action}) => [names[0]!, action]);
	};

	t.deepEqual(allowed(['SYS_ADMIN'], 'x64'), [['read', 'SCMP_ACT_ALLOW'], ['mount', 'SCMP_ACT_ALLOW']]);
	t.deepEqual(allowed([], 'x64'), [['read', 'SCMP_ACT_ALLOW'], ['mount', 'SCMP_ACT_ERRNO']]);
	t.deepEqual(allowed([], 'arm64').at(-1), ['arm_fadvise64_64', 'SCMP_ACT_ALLOW']);
});

test('a container has these capabilities and no others, a network of its own, and the mount', t => {
	const {process: {args, capabilities, noNewPrivileges}, mounts, linux} = configOf({
		given: ['run'], capabilities: ['KILL'], work: '/w', profile,
	});
	t.deepEqual(args, ['testbed', 'run']);
	t.deepEqual(capabilities, {bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL']});
	t.true(noNewPrivileges);
	t.true(linux.namespaces.some(({type}) => type === 'network'));
	t.like(mounts.find(({destination}) => destination === '/work'), {source: '/w'});
	t.false(linux.readonlyPaths.includes('/proc/sys'));
	t.true(configOf({
		given: [], capabilities: [], work: '/w', profile, isProcSysReadOnly: true,
	}).linux.readonlyPaths.includes('/proc/sys'));
});

test('goes red: a container without a right that passes, or that never started', t => {
	t.is(judgeWithout({status: 4, text: 'testbed: unshare(CLONE_NEWNET) failed: EPERM\n'}), undefined);
	t.is(judgeWithout({status: -1, text: 'testbed: running 3 rule sets …\n'}), undefined);
	t.is(judgeWithout({status: 0, text: 'testbed: running 3 rule sets …\n'}), 'the six types pass as well');
	t.regex(judgeWithout({status: 1, text: 'container `testbed` already exists\n'})!, /^it did not start \(status 1\): container/u);
});
