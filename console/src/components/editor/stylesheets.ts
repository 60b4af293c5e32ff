import { StyleModule } from "style-mod";

/**
 * CodeMirror writes its style rules into a <style> element, which the content security policy forbids. A style sheet that a script
 * constructs is not "inline" in the policy's sense: it cannot be smuggled in with markup. So the rules go there, and the policy
 * stays as strict as it is.
 *
 * Within shadow roots style-mod does the same by itself; this does it for documents.
 */

const sheets = new WeakMap<DocumentOrShadowRoot, { sheet: CSSStyleSheet; modules: StyleModule[] }>();

/** adoptStyles replaces how style-mod mounts modules. It must run before the first editor is made; again does nothing. */
export function adoptStyles(): void {
  StyleModule.mount = (root, modules) => {
    let own = sheets.get(root);
    if (!own) {
      own = { sheet: new CSSStyleSheet(), modules: [] };
      sheets.set(root, own);
      root.adoptedStyleSheets = [...root.adoptedStyleSheets, own.sheet];
    }
    const wanted = Array.isArray(modules) ? (modules as StyleModule[]) : [modules as StyleModule];
    const next = mergeOrder(own.modules, wanted);
    if (next.length === own.modules.length && next.every((one, i) => one === own.modules[i])) return;
    own.modules = next;
    // Editors come and go; their few modules change seldom, so that writing all rules anew is cheap.
    own.sheet.replaceSync(next.map((one) => one.getRules()).join("\n"));
  };
}

/** mergeOrder keeps what is mounted and puts the wanted modules in their order: later ones take precedence. */
export function mergeOrder<T>(mounted: readonly T[], wanted: readonly T[]): T[] {
  const others = mounted.filter((one) => !wanted.includes(one));
  return [...wanted, ...others];
}
