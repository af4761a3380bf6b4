/**
Results as one self-contained page: no script, no network, no other files. The summary comes first, then each case with its drawings; details are folded.
*/

import {nameOfStep, type Connection} from '../../drawing/connection.js';
import {layOut} from '../../drawing/lay-out.js';
import {escapeMarkup as text} from '../../drawing/markup.js';
import {printAround, printBody, SharedTexts} from '../../drawing/svg.js';
import type {Picture} from '../pictures/picture.js';
import {pageStyle, pageStyleHash} from './html-style.js';
import {
	isSingle, printSummary, summarizeResults, type CaseOutcome, type ResultCase, type Results, type ResultSuite,
} from './results.js';

/** Options of a page. */
export type HtmlOptions = {
	/** The whole result as JSON, folded at the end; left out if the page would become too long. */
	readonly raw?: string;
};

/** Longest raw data that a page includes, in characters. */
export const rawMax = 200_000;

/** Up to this many drawings are open from the start. If there are more, only those of cases that did not pass are. */
const openMax = 14;

const marks = {
	pass: '✔', fail: '✖', inconclusive: '?', unavailable: '–',
} as const satisfies Record<CaseOutcome['kind'], string>;

/** The page as text, ending in a line break. */
export function printHtml(results: Results, {raw}: HtmlOptions = {}): string {
	const page = new Page(results);
	return page.print(raw);
}

/** Assigns the identifiers of a page and keeps track of what is on it. */
class Page {
	readonly #results: Results;
	readonly #pictures: ReadonlyMap<ResultCase, readonly Picture[]>;
	readonly #ids: ReadonlyMap<ResultCase, string>;
	readonly #isLong: boolean;
	/** Drawings on the page by their content, so that identical ones are drawn once; and the same of what the legs of drawings met. */
	readonly #drawn = new Map<string, string>();
	readonly #told = new Map<string, {readonly id: string; readonly leg: number}>();
	readonly #shared = new SharedTexts();
	#drawings = 0;

	constructor(results: Results) {
		this.#results = results;
		const cases = results.suites.flatMap(suite => suite.cases);
		this.#pictures = new Map(cases.map(each => [each, each.pictures?.() ?? []]));
		this.#ids = new Map(cases.map((each, index) => [each, `c${index + 1}`]));
		this.#isLong = [...this.#pictures.values()].reduce((sum, {length}) => sum + length, 0) > openMax;
	}

	print(raw: string | undefined): string {
		const {name, suites} = this.#results;
		const {passed, failed, inconclusive} = summarizeResults(this.#results);
		const kind = failed > 0 ? 'fail' : (inconclusive > 0 || passed === 0 ? 'inconclusive' : 'pass');
		const summary = printSummary({passed, failed, inconclusive});
		return [
			'<!doctype html>',
			'<html lang="en">',
			'<head>',
			'<meta charset="utf-8">',
			`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${pageStyleHash}'; base-uri 'none'; form-action 'none'">`,
			'<meta name="viewport" content="width=device-width, initial-scale=1">',
			'<meta name="referrer" content="no-referrer">',
			`<title>${text(`${marks[kind]} ${name}: ${summary}`)}</title>`,
			`<style>${pageStyle}</style>`,
			'</head>',
			'<body>',
			`<main${[...this.#pictures.values()].some(own => own.some(({group}) => group !== '')) ? ' class="wide"' : ''}>`,
			`<h1><span class="${kind}">${marks[kind]}</span> ${text(name)}: ${text(summary)}</h1>`,
			...suites.flatMap(suite => this.#printSuite(suite)),
			...this.#printRaw(raw),
			'</main>',
			withoutQuotes(this.#shared.print()),
			'</body>',
			'</html>',
			'',
		].join('\n');
	}

	#printSuite(suite: ResultSuite): readonly string[] {
		const {name, about, properties, cases, hints = []} = suite;
		const pairs = Object.entries(properties);
		return [
			'<section>',
			...(isSingle(suite) ? [] : [`<h2>${text(name)}</h2>`]),
			...(about === undefined ? [] : [`<p>${text(about)}</p>`]),
			...hints.map(hint => `<p class="dim">${text(hint)}</p>`),
			...this.#printTable(suite),
			...cases.flatMap(each => this.#printCase(each, isSingle(suite) ? 'h2' : 'h3')),
			...(pairs.length === 0 ? [] : fold('Rules and environment', [`<ul>${pairs.map(([key, value]) => `<li>${text(key)}: <code>${text(value)}</code></li>`).join('')}</ul>`])),
			'</section>',
		];
	}

	#printTable({name: suite, cases}: ResultSuite): readonly string[] {
		const cell = (value: string | undefined): string => value === undefined ? '' : `<code>${text(value)}</code>`;
		return [
			`<div class="scroll" tabindex="0" role="region" aria-label="All cases of ${text(suite)}"><table>`,
			'<thead><tr><th scope="col">outcome</th><th scope="col">case</th><th scope="col">expected</th><th scope="col">observed</th></tr></thead>',
			'<tbody>',
			...cases.map(each => {
				const {name, outcome, expected, observed} = each;
				const link = this.#isTold(each) ? `<a href="#${this.#ids.get(each)!}">${text(name)}</a>` : text(name);
				return `<tr><td class="${outcome.kind}">${marks[outcome.kind]} ${outcome.kind}</td><td>${link}</td><td>${cell(expected)}</td><td>${outcome.kind === 'unavailable' ? text(outcome.message) : cell(observed)}</td></tr>`;
			}),
			'</tbody></table></div>',
		];
	}

	/** Whether there is more to say about a case than its line in the table. */
	#isTold(each: ResultCase): boolean {
		return this.#pictures.get(each)!.length > 0 || each.outcome.kind === 'fail' || each.outcome.kind === 'inconclusive' || (each.notes ?? []).length > 0;
	}

	#printCase(each: ResultCase, heading: 'h2' | 'h3'): readonly string[] {
		if (!this.#isTold(each)) {
			return [];
		}

		const {name, outcome, notes = [], place} = each;
		const isOpen = outcome.kind === 'fail' || outcome.kind === 'inconclusive';
		const pictures = this.#pictures.get(each)!;
		const drawings = groupsOf(pictures).flatMap(group => this.#printGroup(group));
		return [
			`<article id="${this.#ids.get(each)!}">`,
			`<${heading} class="case"><span class="${outcome.kind}">${marks[outcome.kind]}</span> ${text(name)}</${heading}>`,
			...('reasons' in outcome ? [`<ul class="reasons ${outcome.kind}">${outcome.reasons.map(reason => `<li>${text(reason)}</li>`).join('')}</ul>`] : []),
			...(place === undefined ? [] : [`<p class="dim">at <code>${text(`${place.file}${place.line === undefined ? '' : `:${place.line}`}`)}</code></p>`]),
			...(drawings.length === 0 ? [] : (this.#isLong && !isOpen ? fold(pictures.length === 1 ? 'The drawing' : 'The drawings', drawings) : drawings)),
			...(notes.length === 0 ? [] : fold('More', [`<ul>${notes.map(([label, value]) => `<li>${text(label)}: <code>${text(value)}</code></li>`).join('')}</ul>`])),
			'</article>',
		];
	}

	/** Drawings of one group, side by side. */
	#printGroup(group: readonly Picture[]): readonly string[] {
		const isPair = group.length > 1;
		const figures = group.flatMap(({connection}) => this.#printFigure(connection, isPair));
		return isPair ? ['<div class="pair">', ...figures, '</div>'] : figures;
	}

	#printFigure(connection: Connection, isNarrow: boolean): readonly string[] {
		const id = `d${++this.#drawings}`;
		const layout = layOut(connection, {isNarrow});
		const body = printBody(layout, this.#shared);
		const known = this.#drawn.get(body);
		if (known !== undefined) {
			return [`<p>The kernel did the same with it as in <a href="#${known}">this drawing</a>.</p>`];
		}

		this.#drawn.set(body, id);
		return [
			`<figure id="${id}">`,
			withoutQuotes(printAround(body, layout, {id, page: this.#shared, describedBy: `${id}-s`}).trimEnd()),
			...fold('Every rule that was tested, and why', [`<div id="${id}-s">${this.#printAsked(connection, id)}</div>`]),
			'</figure>',
		];
	}

	/** Leg by leg, each rule with what it did or which of its conditions failed. On a long page, what is said already is not said again. */
	#printAsked({legs}: Connection, id: string): string {
		return legs.map((leg, index) => {
			const asked = printVisits(leg);
			const known = this.#isLong ? this.#told.get(asked) : undefined;
			this.#told.set(asked, known ?? {id, leg: index + 1});
			const {sender, to, endName} = leg;
			return `<p><strong>Leg ${index + 1}</strong>: ${text(sender.name)} → ${text(to)}, ${text(endName)}</p>${known === undefined ? asked : `<p>The same rules were tested, with the same answers, as in <a href="#${known.id}">leg ${known.leg} of this drawing</a>.</p>`}`;
		}).join('');
	}

	#printRaw(raw: string | undefined): readonly string[] {
		if (raw === undefined) {
			return [];
		}

		return raw.length > rawMax
			? [`<p class="dim">The JSON result has ${raw.length} characters, too many for this page: <code>--format json</code> writes it.</p>`]
			: fold('Raw data (the same as --format json)', [`<pre tabindex="0">${text(raw)}</pre>`]);
	}
}

function groupsOf(pictures: readonly Picture[]): ReadonlyArray<readonly Picture[]> {
	const groups = new Map<string, Picture[]>();
	for (const [index, picture] of pictures.entries()) {
		const key = picture.group === '' ? `alone ${index}` : picture.group;
		groups.set(key, [...groups.get(key) ?? [], picture]);
	}

	return [...groups.values()];
}

function fold(title: string, content: readonly string[]): readonly string[] {
	return [`<details><summary>${text(title)}</summary>`, ...content, '</details>'];
}

/** The rules that a leg met, each with what it did or which of its conditions failed. */
function printVisits({visits}: Connection['legs'][number]): string {
	const steps = visits.flatMap(({table, chain, asked, rewrites}) => [
		...(asked.length === 0 ? [`<li>${text(table === 'nat' ? chain : `${table}:${chain}`)}: no rules</li>`] : []),
		...asked.map(step => step.state === 'missed'
			? `<li>${text(nameOfStep(table, step))} no: ${text(step.because)}</li>`
			: `<li class="hit"><code>${text(nameOfStep(table, step))}</code> ${step.state === 'decided' ? '<strong>decides</strong>' : 'matches'}: <code>${text(step.text)}</code>. ${step.purpose === null ? '' : `${text(step.purpose)} `}It ${text(step.because)}.</li>`),
		...rewrites.map(({what, from, to: is}) => `<li class="hit">${what} <code>${text(from)}</code> becomes <code>${text(is)}</code></li>`),
	]);
	return `<ul class="asked">${steps.join('')}</ul>`;
}

/** The same markup without the quotes that HTML does not need: every tenth character of a drawing. Texts have no quotes of their own, because these are escaped. */
function withoutQuotes(markup: string): string {
	return markup.replaceAll(/="(?<value>[\w#.:-]+)"/gu, '=$<value>').replaceAll(/(?<=[\w#.:-])\/>/gu, ' />');
}
