/** What vite makes of styles: nothing that a program sees. */
declare module '*.css';
