/**
The record of a rule set: for each packet class a representative probe, where it arrived, and which rules decided, by role. It contains no rule numbers.
*/

import {stopsOfPath} from '../netfilter/path.js';
import type {SidecarRouting} from '../mesh/routing.js';
import type {AddressFamily, Backend, RuleSet} from '../netfilter/types.js';
import type {Credentials} from '../mesh/traffic.js';
import type {Gap} from '../trace/gap.js';
import type {ClassSet, PacketClass} from '../packet-classes/classify.js';
import type {SentPacket} from '../packet-classes/class-of-packet.js';
import {
	describeClasses, isSamePath, summarizePath, type Side, type PathSummary,
} from '../comparison/moves.js';
import type {Representative} from '../packet-classes/representatives.js';
import {gapsOfClasses, gapsOfReading} from '../comparison/gaps.js';

/** The machine and the programs of a record, for readers only. */
export type RecordedEnvironment = Readonly<Record<string, string>>;

/** Where the rules came from. `backend` wrote them. */
export type RecordedRules = {
	readonly source: string;
	readonly source6: string | null;
	readonly dnsServers: readonly string[] | null;
	readonly release: string | null;
	readonly backend: Backend;
	/** Of the rules as text. */
	readonly sha256: string;
	readonly families: readonly AddressFamily[];
	/** Marks with which packets are delivered to the pod itself. */
	readonly markRules: SidecarRouting['markRules'];
	readonly ruleSet: RuleSet;
};

/** What happened to one packet class. */
export type RecordedClass = {
	/** In words, for readers: the probe determines which packets are meant. */
	readonly traffic: readonly string[];
	readonly probe: SentPacket;
	readonly arrivals: readonly string[];
	readonly stops: readonly string[];
	/** For each leg, the rules that decided. */
	readonly roles: ReadonlyArray<readonly string[]>;
};

/** What happened to one connection of the six types, or of a scenario. */
export type RecordedCase = {
	/** `types`, or the scenario's file. */
	readonly of: string;
	readonly id: string;
	readonly name: string;
	readonly family: AddressFamily;
	readonly stops: readonly string[];
	/** For all legs, in order; null for a rule without a role. */
	readonly roles: ReadonlyArray<string | null>;
};

/** A whole baseline. */
export type Baseline = {
	readonly environment: RecordedEnvironment;
	readonly rules: RecordedRules;
	/** The proxy's user and group. */
	readonly proxy: Credentials;
	readonly classes: readonly RecordedClass[];
	readonly cases: readonly RecordedCase[];
};

/** The part of a baseline for some of its families. The rules' checksum stays that of the whole. */
export function baselineOf(baseline: Baseline, families: readonly AddressFamily[]): Baseline {
	const {rules, classes, cases} = baseline;
	return {
		...baseline,
		rules: {...rules, families: rules.families.filter(family => families.includes(family))},
		classes: classes.filter(({probe}) => families.includes(probe.family)),
		cases: cases.filter(({family}) => families.includes(family)),
	};
}

/** The result for one family: records, and why they may be incomplete. `unsent` cannot be fixed by another attempt. */
export type RecordedFamily = {readonly classes: readonly RecordedClass[]; readonly lost: readonly Gap[]; readonly unsent: readonly Gap[]};

/** The records for the probe results of one rule set. If both representatives of a class took the same path, the inner one is recorded. */
export function recordFamily({classSet, representatives, side}: {readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly side: Side}): RecordedFamily {
	const byClass = new Map<number, Array<{readonly representative: Representative; readonly pathSummary: PathSummary; readonly stops: readonly string[]}>>();
	for (const [place, representative] of representatives.entries()) {
		const probeResult = side.probeResults[place]!;
		const known = byClass.get(representative.index) ?? [];
		const pathSummary = summarizePath(probeResult, side.ruleSet);
		known.push({representative, pathSummary, stops: stopsOfPath({legs: probeResult.legs.slice(0, pathSummary.roles.length)})});
		byClass.set(representative.index, known);
	}

	return {
		classes: [...byClass].flatMap(([index, probed]) => {
			const inner = probed.find(({representative}) => representative.kind === 'inner') ?? probed[0]!;
			const apart = probed.filter(each => each !== inner && !isSamePath(each.pathSummary, inner.pathSummary));
			return [inner, ...apart].map(({representative, pathSummary, stops}) => recordOf({
				packetClass: classSet.classes[index]!, classSet, representative, pathSummary, stops,
			}));
		}),
		lost: [
			...side.probeResults.flatMap(({gaps}) => gaps),
			...gapsOfReading({
				classSet, representatives, probeResults: side.probeResults, place: 0,
			}),
		],
		unsent: gapsOfClasses(classSet),
	};
}

function recordOf({packetClass, classSet, representative: {index, kind, packet, ...probe}, pathSummary, stops}: {
	readonly packetClass: PacketClass; readonly classSet: ClassSet; readonly representative: Representative; readonly pathSummary: PathSummary; readonly stops: readonly string[];
}): RecordedClass {
	return {
		traffic: describeClasses([packetClass], classSet), probe, arrivals: pathSummary.arrivals, stops, roles: pathSummary.roles,
	};
}
