/**
JUnit's XML as its readers take it: parsed by a strict parser of others, and held against the form that Jenkins checks (jenkinsci/xunit-plugin, junit-10.xsd; GitLab and Maven's readers ask for no more).
*/

import {SaxesParser} from 'saxes';

/** An element with all that stands in it. `text` is that of its own. */
export type Element = {readonly name: string; readonly attributes: Readonly<Record<string, string>>; readonly children: Element[]; text: string};

/** Parses a document; throws where it is not well-formed. */
export function parseXml(text: string): Element {
	const parser = new SaxesParser();
	const top: Element = {
		name: '', attributes: {}, children: [], text: '',
	};
	const open = [top];
	parser.on('error', error => {
		throw error;
	});
	parser.on('opentag', ({name, attributes}) => {
		const element: Element = {
			name, attributes, children: [], text: '',
		};
		open.at(-1)!.children.push(element);
		open.push(element);
	});
	const addText = (piece: string): void => {
		open.at(-1)!.text += piece;
	};

	parser.on('text', addText);
	parser.on('cdata', addText);
	parser.on('closetag', () => {
		open.pop();
	});
	parser.write(text).close();
	return top.children[0]!;
}

/** All elements of a name, in the order of the document. */
export function elementsOf(element: Element, name: string): readonly Element[] {
	return element.children.flatMap(child => [...(child.name === name ? [child] : []), ...elementsOf(child, name)]);
}

type Shape = {readonly wanted: readonly string[]; readonly may: readonly string[]; readonly children: readonly string[]; readonly hasText: boolean};

const verdict: Shape = {
	wanted: [], may: ['type', 'message'], children: [], hasText: true,
};
const output: Shape = {
	wanted: [], may: [], children: [], hasText: true,
};

const shapes: Readonly<Record<string, Shape>> = {
	testsuites: {
		wanted: [], may: ['name', 'time', 'tests', 'failures', 'errors'], children: ['testsuite'], hasText: false,
	},
	testsuite: {
		wanted: ['name', 'tests', 'failures', 'errors'], may: ['time', 'skipped', 'timestamp', 'hostname', 'id', 'package', 'file'], children: ['properties', 'testcase', 'system-out', 'system-err'], hasText: false,
	},
	properties: {
		wanted: [], may: [], children: ['property'], hasText: false,
	},
	property: {
		wanted: ['name', 'value'], may: [], children: [], hasText: false,
	},
	// The schema leaves class and time to the writer; Maven's and Ant's do not.
	testcase: {
		wanted: ['name', 'classname', 'time'], may: ['group'], children: ['skipped', 'error', 'failure', 'system-out', 'system-err'], hasText: false,
	},
	failure: verdict,
	error: verdict,
	skipped: verdict,
	'system-out': output,
	'system-err': output,
};

/** What of a document is not as its readers take it: a sentence each. */
export function complaintsAboutJunit(element: Element): readonly string[] {
	return element.name === 'testsuites' ? complaintsAbout(element) : [`the root is ${element.name}`];
}

function complaintsAbout({name, attributes, children, text}: Element): readonly string[] {
	const shape = shapes[name];
	if (shape === undefined) {
		return [`${name} is no element of JUnit`];
	}

	const given = Object.keys(attributes);
	const counted = (kind: string): number => children.filter(child => child.name === 'testcase' && child.children.some(one => one.name === kind)).length;
	const counts = name === 'testsuite' ? [['tests', children.filter(child => child.name === 'testcase').length], ['failures', counted('failure')], ['errors', counted('error')], ['skipped', counted('skipped')]] as const : [];
	return [
		...shape.wanted.filter(key => !given.includes(key)).map(key => `${name} lacks ${key}`),
		...given.filter(key => ![...shape.wanted, ...shape.may].includes(key)).map(key => `${name} has ${key}`),
		...(attributes['time'] === undefined || /^\d{1,3}(?:,?\d{3})*(?:\.\d*)?$/u.test(attributes['time']) ? [] : [`${name}: time is ${attributes['time']}`]),
		...counts.filter(([key, count]) => attributes[key] !== String(count)).map(([key, count]) => `${name}: ${key} is ${attributes[key]} and not ${count}`),
		...(shape.hasText || text.trim() === '' ? [] : [`${name} holds text`]),
		...children.filter(child => !shape.children.includes(child.name)).map(child => `${child.name} stands in ${name}`),
		...children.flatMap(child => complaintsAbout(child)),
	];
}
