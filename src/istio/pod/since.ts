/**
Since-columns: whether a release has something that was added in some release.
*/

/** Whether a release, `1.24` or `1.24.3`, is that release or a later one. A line without a patch number means its newest patch. */
export function isAtLeast(release: string, since: string): boolean {
	const [one, other] = [release, since].map(text => text.split('.').map(Number));
	for (const index of [0, 1, 2]) {
		const [left, right] = [one?.[index] ?? Infinity, other?.[index] ?? 0];
		if (left !== right) {
			return left > right;
		}
	}

	return true;
}
