/**
A connection as a Mermaid flowchart, for places that render Mermaid themselves (GitHub, GitLab, many wikis). It contains only the rules that matched: a box for each chain, an arrow for each step, numbered by leg.
*/

import {visibleForeign} from '../parsing/visible-text.js';
import type {Connection, DrawnLeg, Terminal} from './connection.js';
import {schemes, styleOfLeg} from './palette.js';

/** A text in quotes: characters that are special in Mermaid or HTML are written as entity codes (https://mermaid.js.org/syntax/flowchart.html). */
export function escapeMermaid(text: string): string {
	return visibleForeign(text).replaceAll(/[^\p{L}\p{N} .,:_/→…()=+-]/gu, character => `#${character.codePointAt(0)!};`).replaceAll(/[\n\t]/gu, ' ');
}

/** The flowchart as text, ending in a line break. */
export function printMermaid(connection: Connection): string {
	const chart = new Chart();
	for (const [index, leg] of connection.legs.entries()) {
		chart.add(leg, index);
	}

	return chart.print(connection);
}

class Chart {
	readonly #nodes = new Map<string, {readonly id: string; readonly line: string; readonly group: string}>();
	readonly #links: Array<{readonly line: string; readonly leg: number}> = [];

	add(leg: DrawnLeg, index: number): void {
		let last = this.#terminal(leg.sender);
		const link = (to: string, label: string): void => {
			this.#links.push({line: `${last} -->|"${label}"| ${to}`, leg: index});
			last = to;
		};

		for (const visit of leg.visits) {
			for (const step of visit.asked.filter(({state}) => state !== 'missed')) {
				const group = `${visit.hook.toUpperCase()} ${visit.table} ${step.chain}`;
				const strong = step.state === 'decided' ? ['<b>', '</b>'] : ['', ''];
				link(this.#node(`${group} ${step.number ?? '?'}`, group, (id: string) => `${id}["${strong[0]}${step.number ?? '?'}${strong[1]}&nbsp; ${escapeMermaid(step.text)}"]`), String(index + 1));
			}
		}

		link(leg.end.kind === 'dropped' ? this.#node(`dropped ${index}`, '', id => `${id}{{"${escapeMermaid(leg.endName)}"}}`) : this.#terminal(leg.end.terminal), leg.end.kind === 'dropped' || leg.end.label === null ? String(index + 1) : `${index + 1} ${escapeMermaid(leg.end.label)}`);
	}

	print({title, legs}: Connection): string {
		const nodes = [...this.#nodes.values()];
		const groups = [...new Set(nodes.map(({group}) => group))];
		return [
			'flowchart TD',
			`\taccTitle: ${escapeMermaid(title)}`,
			...groups.flatMap((group, index) => {
				const own = nodes.filter(node => node.group === group).map(({line}) => line);
				return group === '' ? own.map(line => `\t${line}`) : [`\tsubgraph g${index}["${escapeMermaid(group)}"]`, ...own.map(line => `\t\t${line}`), '\tend'];
			}),
			...this.#links.map(({line}) => `\t${line}`),
			...legs.flatMap((_, leg) => {
				const own = this.#links.flatMap((link, index) => link.leg === leg ? [index] : []);
				return [`\tlinkStyle ${own.join(',')} stroke:${schemes.light.legs[styleOfLeg(leg)]!},stroke-width:3px${leg === 0 ? '' : `,stroke-dasharray:${['', '8 4', '2 4', '8 3 2 3', '5 3', '10 3 2 3'][styleOfLeg(leg)]!}`}`];
			}),
			'',
		].join('\n');
	}

	#terminal({name, about, isInPod}: Terminal): string {
		return this.#node(`who ${isInPod ? 'in' : 'out'} ${name}`, isInPod ? '' : 'outside the pod', id => `${id}(["${escapeMermaid(name)}${about === null ? '' : `<br>${escapeMermaid(about)}`}"])`);
	}

	#node(key: string, group: string, line: (id: string) => string): string {
		const known = this.#nodes.get(key);
		if (known !== undefined) {
			return known.id;
		}

		const id = `n${this.#nodes.size + 1}`;
		this.#nodes.set(key, {id, line: line(id), group});
		return id;
	}
}
