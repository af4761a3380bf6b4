/**
The work of all shards of `testbed run FILES…`. To cut it as the others do, every shard reads the heads of all scenarios, but traffic and rules of its own pieces only: with all of them, a thousand shards would spend most of their time on what others run.
*/

import path from 'node:path';
import type {Backend} from '../../../src/netfilter/types.js';
import {settingOf} from '../../../src/scenario/file/parse-head.js';
import {textOfNamedRules} from '../../inputs/named-rules.js';
import {
	excludedBy, ofScenarios, readScenario, type LoadedScenarios, type OutlinedScenario, type ScenarioRequest,
} from '../../inputs/scenarios.js';
import type {RunOptions} from '../../run/options.js';
import {shareActors} from '../../run/share-actors.js';
import {fingerprintOf} from '../../shards/work.js';
import {isRun, type MissingRun, type RunNames} from './run-entries.js';
import type {ShardedRun} from './run-shard.js';

type Piece = {readonly outline: OutlinedScenario; readonly backend: Backend};

/** How the pieces become runs. `words` are the operands of the command line. */
type Loading = {
	readonly words: readonly string[];
	readonly request: Omit<ScenarioRequest, 'backends' | 'rules'>;
	readonly optionsOf: (prepared: LoadedScenarios['prepared'][number]) => RunOptions;
};

/** The work, from the heads of the scenarios. */
export function shardedScenarios(outlines: readonly OutlinedScenario[], {words, request, optionsOf}: Loading): ShardedRun {
	const all = outlines.flatMap(outline => outline.backends.map(backend => ({outline, backend, reason: excludedBy(outline.head, backend)})));
	const pieces: readonly Piece[] = all.filter(({reason}) => reason === undefined);
	return {
		names: pieces.map(piece => namesOfPiece(piece)),
		order: orderOf(pieces),
		missing: all.flatMap(({reason, ...piece}) => reason === undefined ? [] : [{...namesOfPiece(piece), reason}]),
		scenarios: words,
		read: outlines.map(({text, file, head, backends}) => fingerprintOf([
			text, backends, textOfNamedRules({
				source: head.rules.value, folder: path.dirname(file), kind: 'scenario', allowOutside: request.allowOutside ?? false,
			}),
		])),
		load: places => loadPieces(places.map(place => pieces[place]!), request, optionsOf),
	};
}

function namesOfPiece({outline: {source, head}, backend}: Piece): RunNames {
	return {
		source, release: null, backend, scenario: head.name,
	};
}

/** The order in which the pieces are cut: scenarios of one setting are neighbors, among these those of the same rules, and the back ends of each are side by side. */
function orderOf(pieces: readonly Piece[]): readonly number[] {
	const keys = new Map([...new Set(pieces.map(({outline}) => outline))].map(outline => [outline, [...settingOf(outline.text), outline.head.rules.value].join('\0')]));
	return [...pieces.keys()].toSorted((one, other) => {
		const [key, otherKey] = [one, other].map(place => keys.get(pieces[place]!.outline)!) as [string, string];
		return key === otherKey ? one - other : (key < otherKey ? -1 : 1);
	});
}

/** The runs of some pieces, in their order, or why there are none. */
function loadPieces(pieces: readonly Piece[], request: Loading['request'], optionsOf: Loading['optionsOf']): ReadonlyArray<RunOptions | MissingRun> {
	const own = new Map<OutlinedScenario, Backend[]>();
	for (const {outline, backend} of pieces) {
		own.set(outline, [...own.get(outline) ?? [], backend]);
	}

	const loaded = new Map(ofScenarios([...own], ([outline, wanted]) => [outline, readScenario(outline.text, {
		...request, file: outline.file, backends: outline.backends, own: wanted,
	})] as const));
	const found = pieces.map(({outline, backend}) => {
		const {prepared, missing} = loaded.get(outline)!;
		const one = prepared.find(({rules}) => rules.backend === backend);
		return one === undefined ? missing.find(run => run.backend === backend)! : optionsOf(one);
	});
	const shared = shareActors(found.filter(one => isRun(one))).values();
	return found.map(one => isRun(one) ? shared.next().value! : one);
}
