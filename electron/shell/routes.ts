// The screens that menus, the tray and notifications can ask for: addresses of the window, as the renderer knows them.

export const routes = {
  home: '#/home',
  pay: '#/pay',
  getPaid: '#/get-paid',
  activity: '#/activity',
  settings: '#/settings',
  payment: (id: string): string => `#/activity/${id}`,
} as const
