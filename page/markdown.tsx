/**
The text of lessons, which has no markup but its own.
*/

import type {Block, Span} from '../src/lessons/markdown.js';

/** Blocks of text. */
export function Text({blocks}: {readonly blocks: readonly Block[]}) {
	return <>{blocks.map((block, index) => <BlockOf key={index} block={block}/>)}</>;
}

function BlockOf({block}: {readonly block: Block}) {
	switch (block.kind) {
		case 'paragraph': {
			return <p><Spans spans={block.spans}/></p>;
		}

		case 'heading': {
			return <h3><Spans spans={block.spans}/></h3>;
		}

		case 'list': {
			const items = block.items.map((spans, index) => <li key={index}><Spans spans={spans}/></li>);
			return block.isNumbered ? <ol>{items}</ol> : <ul>{items}</ul>;
		}

		case 'code': {
			return <pre tabIndex={0}><code>{block.lines.join('\n')}</code></pre>;
		}
	}
}

function Spans({spans}: {readonly spans: readonly Span[]}) {
	return <>{spans.map((span, index) => <SpanOf key={index} span={span}/>)}</>;
}

function SpanOf({span: {text, ...span}}: {readonly span: Span}) {
	switch (span.kind) {
		case 'text': {
			return <>{text}</>;
		}

		case 'code': {
			return <code>{text}</code>;
		}

		case 'strong': {
			return <strong>{text}</strong>;
		}

		case 'link': {
			// The page loads nothing from elsewhere, and a page of the project is not here.
			return span.href.startsWith('https://') ? <a href={span.href} target='_blank' rel='noreferrer'>{text}</a> : <em>{text}</em>;
		}
	}
}
