import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {privateCommand, run} from '../private.mjs';

/** The capabilities that the image needs, as `--cap-add` names them, with all others dropped. docs/install.md names them, too, with the reason for each; a test compares the two. */
export const leastCapabilities = ['KILL', 'NET_ADMIN', 'NET_RAW', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_ADMIN', 'SYS_CHROOT'];

/** Debian's default seccomp profile of containers (golang-github-containers-common), which podman uses. */
export const seccompFile = '/usr/share/containers/seccomp.json';

/** What podman and Docker hide or protect by default. `/proc/sys` is not in the list: the sandbox sets sysctls of its own namespaces, so it must be writable (podman: --security-opt unmask=/proc/sys). */
const maskedPaths = ['/proc/acpi', '/proc/asound', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/sched_debug', '/proc/scsi', '/proc/timer_list', '/proc/timer_stats', '/sys/firmware'];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sysrq-trigger'];

const architectures = {x64: {names: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'], own: ['amd64', 'x32']}, arm64: {names: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'], own: ['arm64', 'arm']}};

/** The rules of a profile that hold for some capabilities, in the form of the runtime specification. */
export function seccompFor(profile, capabilities, arch = process.arch) {
	const {names, own} = architectures[arch];
	const has = name => capabilities.includes(name.replace(/^CAP_/, ''));
	const holds = ({includes = {}, excludes = {}}) => (includes.caps ?? []).every(name => has(name)) && !(excludes.caps ?? []).some(name => has(name))
		&& (includes.arches === undefined || includes.arches.some(name => own.includes(name))) && !(excludes.arches ?? []).some(name => own.includes(name));
	return {
		defaultAction: profile.defaultAction,
		...(profile.defaultErrnoRet === undefined ? {} : {defaultErrnoRet: profile.defaultErrnoRet}),
		architectures: names,
		syscalls: profile.syscalls.filter(rule => holds(rule)).map(({names: calls, action, args, errnoRet}) => ({
			names: calls, action, ...(args?.length > 0 ? {args} : {}), ...(errnoRet === undefined ? {} : {errnoRet}),
		})),
	};
}

/** The configuration of a container (OCI runtime specification): the image's root, a network namespace of its own with nothing in it, the default seccomp profile, and these capabilities. */
export function configOf({given, capabilities, work, profile, isProcSysReadOnly = false}) {
	const names = capabilities.map(name => `CAP_${name}`);
	const mount = (destination, type, options) => ({destination, type, source: type, options});
	return {
		ociVersion: '1.0.2',
		process: {
			user: {uid: 0, gid: 0},
			args: ['testbed', ...given],
			env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'],
			cwd: '/work',
			capabilities: {bounding: names, effective: names, permitted: names},
			noNewPrivileges: true,
		},
		root: {path: 'root', readonly: false},
		hostname: 'image',
		mounts: [
			mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
			mount('/dev', 'tmpfs', ['nosuid', 'mode=755', 'size=65536k']),
			mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620']),
			mount('/dev/shm', 'tmpfs', ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k']),
			mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', 'ro']),
			{destination: '/work', type: 'bind', source: work, options: ['rbind', 'rw']},
		],
		linux: {
			namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map(type => ({type})), maskedPaths, readonlyPaths: isProcSysReadOnly ? [...readonlyPaths, '/proc/sys'] : readonlyPaths, seccomp: seccompFor(profile, capabilities),
		},
	};
}

/** Crun refuses machines with both versions of control groups, and needs none here: it sees an empty folder instead of them. */
const hideControlGroups = 'mount -t tmpfs none /sys/fs/cgroup';

/**
Runs `testbed` in a container of the image. `bundle` is a folder with the image's root in `root`; it gets the configuration. Everything ends with the container.

@returns {Promise<{status: number, ending: string, text: string}>} As `run`; `text` is its output.
*/
export async function runInContainer(given, {bundle, input, limitMs = 120_000, ...options}) {
	const profile = JSON.parse(fs.readFileSync(seccompFile, 'utf8'));
	fs.writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(configOf({given, profile, ...options})));
	// A container that was killed leaves its state behind, and its name is taken.
	const state = path.join(bundle, 'state');
	fs.rmSync(state, {recursive: true, force: true});
	const command = ['crun', '--root', state, '--cgroup-manager=disabled', 'run', '--bundle', bundle, 'testbed'];
	const piped = input === undefined ? command : ['sh', '-euc', 'input=$1; shift; "$@" < "$input"', 'piped', input, ...command];
	return run(privateCommand(hideControlGroups, piped), {onLine() {}, limitMs});
}
