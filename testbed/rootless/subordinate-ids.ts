/**
The ranges of UIDs and GIDs that a user may have in user namespaces (subuid(5), subgid(5)). Without FFI.
*/

/** A range of IDs of the machine. */
export type SubordinateRange = {readonly first: number; readonly count: number};

type Entry = SubordinateRange & {readonly owner: string};

function entriesIn(text: string): readonly Entry[] {
	return text.split('\n').flatMap(line => {
		const [, owner = '', first = '', count = ''] = /^(?<owner>[^:#]+):(?<first>\d+):(?<count>\d+)$/u.exec(line.trim()) ?? [];
		return owner === '' ? [] : [{owner, first: Number(first), count: Number(count)}];
	});
}

/** The ranges of a user in the text of /etc/subuid or /etc/subgid. The file names users by name or by UID. */
export function rangesOf(text: string, {name, uid}: {readonly name: string | undefined; readonly uid: number}): readonly SubordinateRange[] {
	return entriesIn(text).filter(({owner, count}) => count > 0 && (owner === name || owner === String(uid))).map(({first, count}) => ({first, count}));
}

/** The arguments of newuidmap(1) or newgidmap(1) behind the PID: inside, the user is root and the ranges are the IDs from 1 on. */
export function mapArguments(ownId: number, ranges: readonly SubordinateRange[]): readonly string[] {
	let next = 1;
	return ['0', String(ownId), '1', ...ranges.flatMap(({first, count}) => {
		const inside = next;
		next += count;
		return [String(inside), String(first), String(count)];
	})];
}

/** How many IDs a new range has at least: 0 is the user, and 65535 is the highest that programs usually know. */
const newCount = 65_536;
/** Where such ranges begin (SUB_UID_MIN in login.defs(5)). */
const lowest = 100_000;
/** The highest ID of all (`uid_valid` in linux/uidgid.h). */
const highest = 4_294_967_294;

/** The first ID that no range in either file has taken, nor any before it. */
export function firstFree(texts: readonly string[]): number {
	return Math.max(lowest, ...texts.flatMap(text => entriesIn(text)).map(({first, count}) => first + count));
}

/** The command that gives a user a new range of so many IDs, or of the usual number; undefined if there are not so many. */
export function commandForRange(name: string, {first, count = 0}: {readonly first: number; readonly count?: number}): string | undefined {
	const last = first + Math.max(count, newCount) - 1;
	return last > highest ? undefined : `sudo usermod --add-subuids ${first}-${last} --add-subgids ${first}-${last} ${name}`;
}
