import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionStatus,
  moveCompletionSelection,
  selectedCompletionIndex,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLineGutter,
  type KeyBinding,
  keymap,
  lineNumbers,
  placeholder as placeholderText,
} from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { CodeEditorProps } from "./CodeEditor";
import styles from "./CodeEditor.module.css";
import { diagnosticsExtension, setDiagnostics } from "./diagnostics";
import { languageOf } from "./languages";
import { adoptStyles } from "./stylesheets";
import { editorLook } from "./theme";
import { typeOverSelection } from "./typing";

adoptStyles();

/** Editor is CodeEditor's heavy half, in a chunk of its own. Use CodeEditor. */
export function Editor(props: CodeEditorProps & { startFocused: boolean }) {
  const { value, diagnostics, readOnly = false, language, hints, placeholder, label, lines } = props;
  const box = useRef<HTMLDivElement>(null);
  const made = useRef<EditorView>(undefined);
  const parts = useRef({ language: new Compartment(), state: new Compartment() });
  // The view is made once; its handlers look here for the latest props.
  const current = useRef(props);
  useEffect(() => {
    current.current = props;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the effects below bring later props into the view.
  useEffect(() => {
    if (!box.current) return;
    const single = lines === undefined;
    const view = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: value,
        selection: { anchor: value.length },
        extensions: [
          Prec.highest(keymap.of(runKeys(single, () => current.current))),
          single ? singleLine : multiLine,
          shared,
          parts.current.language.of(languageOf(language, hints)),
          parts.current.state.of(stateOf(label, placeholder, readOnly)),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) current.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    made.current = view;
    const { handle } = current.current;
    if (handle) {
      handle.current = {
        focus: () => view.focus(),
        insert: (text) => {
          view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true, userEvent: "input" });
          view.focus();
        },
      };
    }
    if (current.current.startFocused || current.current.autoFocus) view.focus();
    return () => {
      if (handle) handle.current = null;
      view.destroy();
    };
  }, []);

  useEffect(() => {
    const view = made.current;
    if (!view || view.state.doc.toString() === value) return;
    const at = Math.min(view.state.selection.main.head, value.length);
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: value },
      // What is put in from outside is gone on with at its end.
      selection: { anchor: view.hasFocus ? at : value.length },
    });
  }, [value]);

  useEffect(() => {
    made.current?.dispatch({ effects: parts.current.language.reconfigure(languageOf(language, hints)) });
  }, [language, hints]);

  useEffect(() => {
    made.current?.dispatch({
      effects: parts.current.state.reconfigure(stateOf(label, placeholder, readOnly)),
    });
  }, [label, placeholder, readOnly]);

  useEffect(() => {
    made.current?.dispatch({ effects: setDiagnostics.of(diagnostics ?? []) });
  }, [diagnostics]);

  return (
    <div
      ref={box}
      className={styles.editor}
      data-single={lines === undefined}
      style={lines === undefined ? undefined : { height: lines * 20 + 12 }}
    />
  );
}

const shared: Extension = [
  history(),
  drawSelection(),
  EditorState.allowMultipleSelections.of(true),
  bracketMatching(),
  closeBrackets(),
  autocompletion({ activateOnTypingDelay: 120, maxRenderedOptions: 100, icons: false, selectOnOpen: false }),
  diagnosticsExtension,
  typeOverSelection,
  keymap.of([...closeBracketsKeymap, ...historyKeymap, ...lintKeymap]),
  editorLook,
];

const singleLine: Extension = [EditorView.lineWrapping, keymap.of(defaultKeymap)];

const multiLine: Extension = [
  lineNumbers(),
  foldGutter(),
  highlightActiveLineGutter(),
  highlightSelectionMatches(),
  indentOnInput(),
  // Escape and then Tab leaves the editor, as CodeMirror's guide on keyboard traps asks.
  keymap.of([...searchKeymap, ...foldKeymap, indentWithTab, ...defaultKeymap]),
];

function stateOf(label: string, placeholder: string | undefined, readOnly: boolean): Extension {
  return [
    EditorView.contentAttributes.of({
      "aria-label": label,
      tabindex: "0",
      spellcheck: "false",
      autocapitalize: "off",
      autocorrect: "off",
    }),
    placeholder ? placeholderText(placeholder) : [],
    EditorState.readOnly.of(readOnly),
    EditorView.editable.of(!readOnly),
  ];
}

/** runKeys are the keys that mean more than text: Enter or Mod-Enter runs, Tab takes a completion. */
function runKeys(single: boolean, props: () => CodeEditorProps): KeyBinding[] {
  const run = () => {
    const { onRun } = props();
    onRun?.();
    return onRun !== undefined;
  };
  const keys: KeyBinding[] = [
    { key: "Mod-Enter", run },
    { key: "Tab", run: takeCompletion },
  ];
  if (!single) return keys;
  const enter = (view: EditorView) => {
    // Only what the arrows chose is taken by Enter: who has written the query wants it run, not completed further.
    if (selectedCompletionIndex(view.state) !== null) return false;
    closeCompletion(view);
    return run();
  };
  return [...keys, { key: "Enter", run: enter }, { key: "Shift-Enter", run: breakLine }];
}

/** takeCompletion takes the chosen completion, or the first. */
function takeCompletion(view: EditorView): boolean {
  if (completionStatus(view.state) !== "active") return false;
  if (selectedCompletionIndex(view.state) === null) moveCompletionSelection(true)(view);
  return acceptCompletion(view);
}

function breakLine(view: EditorView): boolean {
  view.dispatch(view.state.replaceSelection("\n"), { scrollIntoView: true, userEvent: "input" });
  return true;
}
