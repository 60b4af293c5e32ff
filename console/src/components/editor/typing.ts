import { EditorView } from "@codemirror/view";

/**
 * When what is typed replaces a selection, browsers put it into the page in the colours of what was there, as a style attribute;
 * the content security policy refuses that and says so in the console. So such input goes into the document directly, by
 * the same handlers that CodeMirror asks after the browser's change.
 */
export const typeOverSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main } = view.state.selection;
    const text = event.inputType === "insertText" ? event.data : null;
    if (text === null || main.empty || view.composing || !event.cancelable || view.state.readOnly)
      return false;
    const insert = () =>
      view.state.update({
        ...view.state.replaceSelection(text),
        userEvent: "input.type",
        scrollIntoView: true,
      });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, main.from, main.to, text, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});
