/**
What kind of rules these are, in one line, before anything is said about what they do.
*/

/** Releases from one to another, inclusive. Null: no mark of the rules sets that bound. */
export type ReleaseRange = {readonly from: string | null; readonly to: string | null};

/** A mesh's identification of its own rules. */
export type MeshIdentity = {
	/** For programs: `istio-sidecar`. */
	readonly kind: string;
	/** For people, without a period: `Istio sidecar, inbound by TPROXY`. */
	readonly title: string;
	/** The releases whose rules have all marks that were found; null if the rules show none. */
	readonly releases: ReleaseRange | null;
	/** The marks that bound the releases; if they contradict each other, those that do. A phrase each. */
	readonly marks: readonly string[];
	/** What the rules lack to capture any traffic, as after a failed init: a phrase each. */
	readonly missing: readonly string[];
	/** What was assumed because the rules do not say it: a sentence each. */
	readonly assumed: readonly string[];
};

/** What kind of rules these are. */
export type Identity = Pick<MeshIdentity, 'kind' | 'releases' | 'missing' | 'assumed'> & {
	/** One sentence: `Istio sidecar, releases 1.18 to 1.24 (…).` */
	readonly text: string;
};
