/**
Comparing two rule sets beside everything else: what their rules differ in is told at once, what moved when the kernel has answered.
*/

import {diffRuleSets} from '../../src/judge/rule-diff/rule-diff.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import {describeStatement} from '../../src/report/comparison/results.js';
import {severityWords, summaryOf} from '../../src/report/comparison/describe.js';
import type {ComparisonReport} from '../../src/report/comparison/types.js';
import {picturesOfMoves} from '../../src/report/pictures/pictures.js';
import {describeChange} from '../../src/report/rules/describe-diff.js';
import type {Comparison, MoveDrawings, RulesChoice} from '../../src/workshop/protocol.js';
import {compareInputs} from '../analysis/compare.js';
import {usualCredentials, type CredentialFlags} from '../inputs/credentials.js';
import {TestbedError} from '../errors.js';
import {chosenRules, type ChosenRules, type RulePermissions} from './chosen-rules.js';

/** What decides a comparison beside the rules. */
export type ComparisonsOptions = RulePermissions & CredentialFlags & {readonly timeoutMs: number; readonly traceBufferBytes: number; readonly signal: AbortSignal};

/** Most classes of packets of a comparison in a room: some seconds of work. */
const classesMax = 20_000;

/** Differences of rules that are listed. */
const changesMax = 60;

/** The last comparison. A new one takes its place, and ends it if it still runs. Who creates it disposes of it. */
export class Comparisons implements AsyncDisposable {
	readonly #options: ComparisonsOptions;
	readonly #onChange: () => void;
	#comparison: Comparison | null = null;
	#report: ComparisonReport | undefined;
	#running: {readonly abort: AbortController; readonly ended: Promise<void>} | undefined;

	constructor(options: ComparisonsOptions, onChange: () => void) {
		this.#options = options;
		this.#onChange = onChange;
	}

	/** How far it is; null before the first. */
	get comparison(): Comparison | null {
		return this.#comparison;
	}

	/**
	Begins one.

	@throws {TestbedError} INPUT or USAGE for rules that cannot be had.
	*/
	begin(from: RulesChoice, to: RulesChoice): void {
		const sides = {from: chosenRules(from, this.#options), to: chosenRules(to, this.#options)};
		const families = sides.from.families.filter(family => sides.to.families.includes(family));
		if (families.length === 0) {
			throw new TestbedError('USAGE', {message: 'The two rule sets have no family in common.'});
		}

		const before = this.#running;
		before?.abort.abort();
		const id = (this.#comparison?.id ?? 0) + 1;
		const names = [sides.from, sides.to].map(({rules: {source, backend}}) => `${source}, ${backend}`) as [string, string];
		this.#report = undefined;
		this.#comparison = {
			id, from: names[0], to: names[1], state: 'sending', rules: changesOf(sides), outcome: null, summary: 'Packets of every class are on their way.', moves: [], gaps: [],
		};
		const abort = new AbortController();
		this.#running = {abort, ended: this.#run(id, {sides, families, abort, before: before?.ended})};
	}

	/** The drawings of one statement; undefined where there is none. */
	drawings(id: number, place: number): MoveDrawings | undefined {
		const statement = this.#comparison?.id === id ? this.#report?.statements[place] : undefined;
		if (statement === undefined) {
			return undefined;
		}

		const pictures = picturesOfMoves([statement]);
		const [before, after] = ['before', 'after'].map(caption => pictures.find(picture => picture.caption === caption)?.connection ?? null);
		return {before: before!, after: after!};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#running?.abort.abort();
		await this.#running?.ended;
	}

	async #run(id: number, {sides: {from, to}, families, abort, before}: {
		readonly sides: {readonly from: ChosenRules; readonly to: ChosenRules}; readonly families: ChosenRules['families']; readonly abort: AbortController; readonly before: Promise<void> | undefined;
	}): Promise<void> {
		await before;
		const {timeoutMs, traceBufferBytes, signal} = this.#options;
		try {
			const report = await compareInputs({
				from: from.rules,
				to: to.rules,
				families,
				credentials: usualCredentials(this.#options, from.rules.intent, from.rules),
				arePathsCompared: false,
				limit: classesMax,
				timeoutMs,
				traceBufferBytes,
				signal: AbortSignal.any([signal, abort.signal]),
				onProgress: () => undefined,
			});
			this.#report = report;
			this.#tell(id, {
				state: 'complete', outcome: report.outcome, summary: summaryOf(report), moves: report.statements.map(statement => ({severity: severityWords[statement.severity], sentence: describeStatement(statement)})), gaps: report.gaps.map(({message}) => message),
			});
		} catch (error) {
			if (!abort.signal.aborted && !signal.aborted) {
				this.#tell(id, {state: 'failed', outcome: 'inconclusive', summary: error instanceof Error ? error.message : String(error)});
			}
		}
	}

	#tell(id: number, news: Partial<Comparison>): void {
		if (this.#comparison?.id === id) {
			this.#comparison = {...this.#comparison, ...news};
			this.#onChange();
		}
	}
}

/** What the rules differ in, chain by chain. */
function changesOf({from, to}: {readonly from: ChosenRules; readonly to: ChosenRules}): readonly string[] {
	const families = from.families.filter(family => to.families.includes(family));
	const {chains, objects} = diffRuleSets({from: rulesOfMesh(from.rules.ruleSet, from.rules.mesh), to: rulesOfMesh(to.rules.ruleSet, to.rules.mesh)}, families);
	const all = [
		...chains.flatMap(({family, from: one, to: other, changes}) => {
			const {table, chain} = (other ?? one)!;
			return changes.map(change => `${family} ${table} ${chain}: ${describeChange(change)} ${change.kind === 'removed' ? change.from.text : change.to.text}`);
		}),
		...objects.map(({table, kind, name}) => `${table}: ${kind} ${name} differs.`),
	];
	return all.length > changesMax ? [...all.slice(0, changesMax), `… and ${all.length - changesMax} more.`] : all;
}
