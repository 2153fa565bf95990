// What the portal's page of a draft needs of CodeMirror: an editor of YAML in the place of a textarea. `make editor` bundles it
// into ivr/portal/static/codemirror.js; what the page does with it is ivr/portal/static/draft.js.
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The page's own colours, light and dark.
const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--paper)", border: "1px solid var(--soft)", borderRadius: "8px", fontSize: ".9rem" },
  "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "ui-monospace, monospace", lineHeight: "1.5", maxHeight: "44rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { color: "var(--soft)", backgroundColor: "var(--panel)", borderRight: "1px solid var(--rule)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent)" },
  ".cm-tooltip, .cm-panels": { color: "var(--ink)", backgroundColor: "var(--panel)", border: "1px solid var(--soft)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--on-accent)", backgroundColor: "var(--accent)" },
  ".cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--open)" },
});
const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--accent)" },
  { tag: [tags.comment, tags.meta, tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: "var(--soft)" },
]);

/**
 * In the place of `area`, which goes on being what the form sends. `offer(text, line, column)` promises `{column, options}`;
 * `changed()` is called after each change; `nonce` is that of the page's styles.
 */
export function edit(area, { label, nonce, offer, changed }) {
  const complete = async ({ state, pos, explicit }) => {
    const line = state.doc.lineAt(pos);
    const before = line.text.slice(0, pos - line.from);
    if (!explicit && !/[\w.{[]$|[:,[{-] $/.test(before)) return null;
    const found = await offer(state.doc.toString(), line.number, pos - line.from + 1);
    if (!found || !found.options.length) return null;
    return { from: line.from + found.column - 1, options: found.options, validFor: /^[\w.-]*$/ };
  };
  const view = new EditorView({
    parent: area.parentNode,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        EditorView.cspNonce.of(nonce), EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
        lineNumbers(), lintGutter(), highlightSpecialChars(), history(), drawSelection(), indentOnInput(), indentUnit.of("  "), bracketMatching(),
        highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(), search({ top: true }),
        yaml(), syntaxHighlighting(colours), theme,
        autocompletion({ override: [complete], activateOnTypingDelay: 150 }),
        keymap.of([...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          changed();
        }),
      ],
    }),
  });
  area.hidden = true;
  return {
    /** Lines and columns count from 1. */
    goTo(line) {
      const { from } = view.state.doc.line(Math.min(line, view.state.doc.lines));
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
      view.focus();
    },
    show(problems) {
      view.dispatch(setDiagnostics(view.state, problems.map((one) => {
        const line = view.state.doc.line(Math.min(one.line, view.state.doc.lines));
        const from = Math.min(line.from + one.column - 1, line.to);
        const word = /^[\w.-]+/.exec(line.text.slice(from - line.from));
        return {
          from, to: word ? from + word[0].length : Math.max(from, line.to),
          severity: one.level === "advice" ? "info" : "error",
          message: `${one.code} ${one.message}${one.cure ? ` (${one.cure})` : ""}`,
        };
      }).sort((one, other) => one.from - other.from)));
    },
  };
}
