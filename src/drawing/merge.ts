/**
Places all legs of a connection over one listing of the rules. A chain comes directly after the rule that leads to it, so every packet goes through a hook from top to bottom, and never back.
*/

import type {Hook} from '../netfilter/types.js';
import type {
	AskedState, AskedStep, Connection, DrawnChain, Rewrite, Visit,
} from './connection.js';

/** What a leg did at a rule. */
export type Meeting = {readonly leg: number; readonly state: AskedState};

/** One rule, or several consecutive ones of which only the number is shown. */
export type Row =
	| {readonly kind: 'rule'; readonly number: number | null; readonly text: string; readonly purpose: string | null; readonly meetings: readonly Meeting[]; readonly rewrites: readonly LegRewrite[]; readonly inner: readonly ChainBox[]}
	/** `wasAsked`: tested for the legs in `meetings`, but none matched. */
	| {readonly kind: 'fold'; readonly count: number; readonly wasAsked: boolean; readonly meetings: readonly Meeting[]}
	/** The end of a base chain, for the legs that reached it. */
	| {readonly kind: 'policy'; readonly text: string; readonly meetings: readonly Meeting[]};

/** A chain at one place: a chain that two rules lead to is listed after each of them. */
export type ChainBox = {readonly table: string; readonly name: string; readonly isBase: boolean; readonly rows: readonly Row[]};

/** The chains of one hook. */
export type Panel = {readonly hook: Hook; readonly chains: readonly ChainBox[]};

/** Up to this many consecutive rules that no packet reached are listed one by one. */
export const unmetShown = 3;

/** Of consecutive rules that were tested and did not match, this many are listed one by one; if there are more, only the first and the last ones. */
export const missedShown = 14;
const missedEdge = 4;

/** NAT's changes to the packet of a leg. */
type LegRewrite = Rewrite & {readonly leg: number};

type OpenRow = {
	readonly number: number | null;
	readonly text: string;
	readonly purpose: string | null;
	readonly meetings: Meeting[];
	readonly rewrites: LegRewrite[];
	readonly inner: Map<string, OpenChain>;
};

type OpenChain = {
	readonly table: string;
	readonly name: string;
	readonly isBase: boolean;
	readonly policy: string | null;
	readonly priority: number;
	readonly rows: OpenRow[];
	readonly ended: Meeting[];
};

/** The hooks that some leg passed, in the order of the drawing, each with its chains in the order in which the kernel consults them. */
export function mergeLegs({legs, chains}: Pick<Connection, 'legs' | 'chains'>): readonly Panel[] {
	const panels = new Map<Hook, Map<string, OpenChain>>();
	for (const [leg, {visits}] of legs.entries()) {
		for (const visit of visits) {
			const panel = panels.get(visit.hook) ?? new Map<string, OpenChain>();
			panels.set(visit.hook, panel);
			const key = `${visit.family} ${visit.table} ${visit.chain}`;
			const base = panel.get(key) ?? openChain(visit, visit.chain, chains);
			panel.set(key, base);
			walk(base, visit, {leg, chains});
		}
	}

	return hookOrder.flatMap(hook => {
		const panel = panels.get(hook);
		return panel === undefined ? [] : [{hook, chains: [...panel.values()].toSorted((one, other) => one.priority - other.priority).map(chain => closeChain(chain))}];
	});
}

/** The hooks in the order of the drawing: before the sockets, and after them. */
export const hookOrder = ['prerouting', 'input', 'output', 'forward', 'postrouting'] as const satisfies readonly Hook[];

function openChain({family, table}: Pick<Visit, 'family' | 'table'>, name: string, chains: readonly DrawnChain[]): OpenChain {
	const known = chains.find(chain => chain.family === family && chain.table === table && chain.name === name);
	return {
		table,
		name,
		isBase: known?.policy !== null,
		policy: known?.policy ?? null,
		priority: known?.priority ?? 0,
		rows: (known?.rules ?? []).map(({number, text, purpose}) => ({
			number, text, purpose, meetings: [], rewrites: [], inner: new Map(),
		})),
		ended: [],
	};
}

function rowOf(chain: OpenChain, step: AskedStep): OpenRow {
	const known = step.number === null ? undefined : chain.rows.find(({number}) => number === step.number);
	if (known !== undefined) {
		return known;
	}

	const row: OpenRow = {
		number: step.number, text: step.text, purpose: step.purpose, meetings: [], rewrites: [], inner: new Map(),
	};
	chain.rows.push(row);
	return row;
}

/** Adds one packet's path through a base chain to the listing. The names of the chains show when it came back, because no chain can lead to itself. */
function walk(base: OpenChain, visit: Visit, {leg, chains}: {readonly leg: number; readonly chains: readonly DrawnChain[]}): void {
	const stack = [base];
	let last: OpenRow | undefined;
	for (const step of visit.asked) {
		while (stack.length > 1 && stack.at(-1)!.name !== step.chain) {
			stack.pop();
		}

		const row = rowOf(stack.at(-1)!, step);
		row.meetings.push({leg, state: step.state});
		last = step.state === 'missed' ? last : row;
		if (step.jump !== null) {
			const inner = row.inner.get(step.jump) ?? {...openChain(visit, step.jump, chains), isBase: false};
			row.inner.set(step.jump, inner);
			stack.push(inner);
		}
	}

	last?.rewrites.push(...visit.rewrites.map(rewrite => ({...rewrite, leg})));
	if (visit.left?.by === 'policy') {
		base.ended.push({leg, state: 'missed'});
	}
}

function closeChain({table, name, isBase, policy, rows, ended}: OpenChain): ChainBox {
	const all = rows.map((row): Row => ({
		kind: 'rule', ...row, inner: [...row.inner.values()].map(chain => closeChain(chain)),
	}));
	const policyText = `${rows.length === 0 ? 'no rules' : 'end of the chain'}${policy === null ? '' : `: policy ${policy}`}`;
	return {
		table, name, isBase, rows: [...foldRows(all), ...(ended.length === 0 ? [] : [{kind: 'policy', text: policyText, meetings: ended} as const])],
	};
}

/** How a row is listed: by itself, or folded with others of its kind. */
function kindOf(row: Row): 'own' | 'unmet' | 'missed' {
	if (row.kind !== 'rule' || row.inner.length > 0 || row.rewrites.length > 0) {
		return 'own';
	}

	if (row.meetings.length === 0) {
		return 'unmet';
	}

	return row.meetings.every(({state}) => state === 'missed') ? 'missed' : 'own';
}

function foldRows(rows: readonly Row[]): readonly Row[] {
	const folded: Row[] = [];
	let index = 0;
	while (index < rows.length) {
		const kind = kindOf(rows[index]!);
		const length = kind === 'own' ? 1 : rows.slice(index).findIndex(row => kindOf(row) !== kind);
		const end = length === -1 ? rows.length : index + length;
		folded.push(...foldRun(rows.slice(index, end), kind));
		index = end;
	}

	return folded;
}

function foldRun(run: readonly Row[], kind: ReturnType<typeof kindOf>): readonly Row[] {
	if (kind === 'unmet' && run.length > unmetShown) {
		return [foldOf(run)];
	}

	if (kind === 'missed' && run.length > missedShown) {
		return [...run.slice(0, missedEdge), foldOf(run.slice(missedEdge, -missedEdge)), ...run.slice(-missedEdge)];
	}

	return run;
}

function foldOf(rows: readonly Row[]): Row {
	const legs = [...new Set(rows.flatMap(row => row.meetings.map(({leg}) => leg)))].toSorted((one, other) => one - other);
	return {
		kind: 'fold', count: rows.length, wasAsked: legs.length > 0, meetings: legs.map(leg => ({leg, state: 'missed'})),
	};
}
