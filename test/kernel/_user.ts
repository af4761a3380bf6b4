/**
Runs as an ordinary user, UID 4242, which this machine does not have: in a mount namespace of the run's own, whose /etc is a copy with that user and ranges of IDs for it. The machine's user database, sysctls and programs stay as they are.
*/

import path from 'node:path';
import process from 'node:process';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import type {Ended} from './_cli.js';

/** The user of these runs. */
export const user = {name: 'testbed-user', uid: 4242} as const;

/** How the user's machine differs from one where everything works. */
export type UserMachine = {
	/** The texts of /etc/subuid and /etc/subgid. */
	readonly subuid?: string;
	readonly subgid?: string;
	/** Whether the user has a line in /etc/passwd. */
	readonly isNamed?: boolean;
	/** Programs that cannot be started. */
	readonly missing?: readonly string[];
	/** Programs that are not set-user-ID. */
	readonly plain?: readonly string[];
	/** All that /proc/sys/kernel has. */
	readonly kernelSysctls?: Readonly<Record<string, string>>;
	/** Whether the run's working folder is the one it is started in, which the user cannot read. */
	readonly staysInFolder?: boolean;
	/** Something on the way to the user: a shell script that execs its arguments. */
	readonly around?: string;
	/** Done as root in the mount namespace, at the end. */
	readonly before?: string;
};

/** Assembles the user's machine in `$1`, then starts the rest as the user. The first two words of that, Node and the launcher, are replaced by those below `$1`, because a user cannot enter root's folders. */
const script = String.raw`
set -e
d=$1
shift 3
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$d"
mkdir "$d/checkout" "$d/home" "$d/etc" "$d/kernel"
chown "$USER_ID:$USER_ID" "$d/home"
: >"$d/node"
: >"$d/empty"
mount --bind "$CHECKOUT" "$d/checkout"
mount --bind "$NODE" "$d/node"
cp -a /etc/. "$d/etc"
test -z "$USER_NAME" || printf '%s:x:%s:%s::%s:/bin/sh\n' "$USER_NAME" "$USER_ID" "$USER_ID" "$d/home" >>"$d/etc/passwd"
test -z "$USER_NAME" || printf '%s:x:%s:\n' "$USER_NAME" "$USER_ID" >>"$d/etc/group"
printf '%s' "$SUBUID" >"$d/etc/subuid"
printf '%s' "$SUBGID" >"$d/etc/subgid"
mount --bind "$d/etc" /etc
for program in $MISSING; do mount --bind "$d/empty" "$(command -v "$program")"; done
for program in $PLAIN; do file=$(command -v "$program"); cp --no-preserve=all "$file" "$d/$program"; chmod 755 "$d/$program"; mount --bind "$d/$program" "$file"; done
if test -n "$KERNEL_SYSCTLS"; then printf '%s\n' "$KERNEL_SYSCTLS" | while read -r name value; do echo "$value" >"$d/kernel/$name"; done; mount --bind "$d/kernel" /proc/sys/kernel; fi
eval "$BEFORE"
test -n "$STAYS" || cd "$d/home"
exec sh -c "$AROUND" "$d" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups env -i "PATH=$PATH" "HOME=$d/home" LC_ALL=C.UTF-8 "$d/node" "$d/checkout/scripts/run.cjs" "$@"
`;

/** The words that start a run as the user, in front of Node, the launcher and their arguments, with the environment that they need. The folder must be empty; the run's own mount namespace uses it. */
export function asUser(folder: string, {
	subuid = `${user.name}:300000:65536\n`, subgid = subuid, isNamed = true, missing = [], plain = [], kernelSysctls = {}, around = 'exec "$@"', before = '', staysInFolder = false,
}: UserMachine = {}): {readonly words: readonly string[]; readonly env: Readonly<Record<string, string>>} {
	return {
		words: ['unshare', '--mount', 'sh', '-c', script, 'sh', folder],
		env: {
			CHECKOUT: path.resolve('.'), NODE: process.execPath, USER_NAME: isNamed ? user.name : '', USER_ID: String(user.uid), SUBUID: subuid, SUBGID: subgid, MISSING: missing.join(' '), PLAIN: plain.join(' '),
			KERNEL_SYSCTLS: Object.entries(kernelSysctls).map(([name, value]) => `${name} ${value}`).join('\n'), AROUND: around, BEFORE: before, STAYS: staysInFolder ? 'yes' : '',
		},
	};
}

/** Runs `testbed` as the user to its end. */
export async function testbedAsUser(given: readonly string[], {input = '', ...machine}: UserMachine & {readonly input?: string} = {}): Promise<Ended> {
	const folder = await dir({prefix: 'testbed-user-', unsafeCleanup: true});
	try {
		const {words: [program, ...words], env} = asUser(folder.path, machine);
		const {exitCode, signal, stdout, stderr} = await execa(program!, [...words, process.execPath, 'launcher', 'testbed', ...given], {
			reject: false, stripFinalNewline: false, env, input,
		});
		return {
			exitCode, signal, stdout: String(stdout), stderr: String(stderr),
		};
	} finally {
		await folder.cleanup();
	}
}

/** A user namespace around the user whose sysctl forbids further ones. Root maps its IDs; what is started in it after that is root there and can set it. */
export const withoutUserNamespaces = String.raw`
export FORBID='echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
mkfifo "$0/ready" "$0/go"
unshare --user sh -c 'd=$0; echo >"$d/ready"; read -r _ <"$d/go"; exec sh -c "$FORBID" sh "$@"' "$0" "$@" &
read -r _ <"$0/ready"
echo '0 0 65536' >"/proc/$!/uid_map"
echo '0 0 65536' >"/proc/$!/gid_map"
echo >"$0/go"
wait $!
`;
